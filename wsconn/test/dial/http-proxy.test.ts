/** HTTP proxies, with TLS to the proxy too, and how they are named where they fail. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { makeFolder } from '../../../test/support/folder.ts';
import { freePort } from '../../../test/support/free-port.ts';
import { echo, target } from '../../../test/support/peers/target.ts';
import { type Authority, makeAuthority } from '../../../test/support/programs/authority.ts';
import { describeWith } from '../../../test/support/programs/program.ts';
import { startTinyproxy } from '../../../test/support/proxies/tinyproxy.ts';
import { startTlsFront } from '../../../test/support/proxies/tls-front.ts';
import { runWsconn, serve, wsconn } from '../../../test/support/wsconn.ts';

let folder: Awaited<ReturnType<typeof makeFolder>>;
let elsewhere: Awaited<ReturnType<typeof makeFolder>>;
let ofServers: Authority;
let ofProxies: Authority;

beforeAll(async () => {
  folder = await makeFolder();
  elsewhere = await makeFolder();
  ofServers = await makeAuthority(folder.path);
  ofProxies = await makeAuthority(elsewhere.path);
});
afterAll(() => Promise.all([folder.remove(), elsewhere.remove()]));

const WORKS = { code: 0, stdout: 'hello', stderr: '' };

function connect(env: NodeJS.ProcessEnv, ...args: string[]): ReturnType<typeof runWsconn> {
  return runWsconn(['connect', ...args], { input: 'hello', env });
}

describeWith('haproxy', 'TLS to the proxy', (haproxy) => {
  describeWith('tinyproxy', 'and to the server', (tinyproxy) => {
    test('each have their CA, and the proxy its login', async () => {
      const login = ['BasicAuth bob hunter2'];
      const behind = await startTinyproxy(tinyproxy, folder.path, login);
      const certificate = await ofProxies.sign('proxy');
      const to = Number(new URL(behind.url).port);
      const port = String(await startTlsFront(haproxy, folder.path, to, certificate));
      const { cert, key } = await ofServers.sign('server');
      const tls = ['--tls-cert', cert, '--tls-key', key];
      const secure = await serve(await target(echo), tls);
      const plain = await serve(await target(echo));
      const WSCONN_PROXY = `https://bob:hunter2@127.0.0.1:${port}`;
      const both = ['--ca', ofServers.ca, '--proxy-ca', ofProxies.ca];
      expect(await connect({ WSCONN_PROXY }, ...both, secure.url)).toEqual(WORKS);
      expect(await connect({ WSCONN_PROXY }, ...both, plain.url)).toEqual(WORKS);
      const none = await connect({ WSCONN_PROXY }, '--ca', ofServers.ca, secure.url);
      expect(none).toMatchObject({ code: 1, stdout: '' });
      expect(none.stderr).toMatch(
        /^wsconn connect: the proxy 127\.0\.0\.1:\d+ cannot be used: its CA is not known here: name its certificate with --proxy-ca \([A-Z_]+\)\n$/,
      );
      const other = ['--ca', ofProxies.ca, '--proxy-ca', ofProxies.ca];
      const unknown = await connect({ WSCONN_PROXY }, ...other, secure.url);
      expect(unknown.stderr).toMatch(
        /^wsconn connect: 127\.0\.0\.1:\d+: the CA of the server is not known here: name .* --ca /,
      );
      const wrong = WSCONN_PROXY.replace('hunter2', 'hunter3');
      const refused = await connect({ WSCONN_PROXY: wrong }, '--verbose', ...both, plain.url);
      expect(refused.stderr).toMatch(
        /does not connect to 127\.0\.0\.1:\d+: it refuses user or password \(401\): check those/,
      );
      expect(refused.stderr).not.toContain('hunter3');
      expect(refused.stderr).not.toContain(Buffer.from('bob:hunter3').toString('base64'));
    });
  });
});

describe('a proxy that', () => {
  test.each([
    [403, /it does not allow this address or port \(403\)/],
    [407, /it requires a login \(407\): put user and password into the URL of WSCONN_PROXY/],
    [502, /it cannot reach the server \(502\)/],
    [418, /it answered with HTTP status 418/],
  ])('answers %i is told, and gets nothing of the request', async (status, line) => {
    let heard = '';
    const port = await target((socket) => {
      socket.on('data', (chunk: Buffer) => {
        heard += chunk.toString();
        socket.end(`HTTP/1.1 ${String(status)} No\r\nContent-Length: 0\r\n\r\n`);
      });
    });
    const env = {
      WSCONN_PROXY: `http://127.0.0.1:${String(port)}`,
      WSCONN_TOKEN: 'open-sesame',
    };
    const { code, stderr } = await connect(env, 'ws://127.0.0.1:7');
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^[^\n]*the proxy 127\.0\.0\.1:\d+ does not connect to 127\.0\.0\.1:7: [^\n]+\n$/m,
    );
    expect(stderr).toMatch(line);
    expect(heard).toMatch(/^CONNECT 127\.0\.0\.1:7 /);
    expect(heard).not.toContain('open-sesame');
  });

  test('does not speak TLS is told', async () => {
    const port = await target((socket) => socket.end('HTTP/1.1 400 No\r\n\r\n'));
    const env = { HTTPS_PROXY: `https://127.0.0.1:${String(port)}` };
    const { stderr } = await connect(env, 'ws://127.0.0.1:7');
    expect(stderr).toMatch(/, which HTTPS_PROXY names, cannot be used: it .*not speak TLS/);
  });

  test('ends without an answer cannot be used', async () => {
    const port = await target((socket) => {
      socket.once('data', () => socket.end());
    });
    const env = { WSCONN_PROXY: `http://127.0.0.1:${String(port)}` };
    const { code, stderr } = await connect(env, 'ws://127.0.0.1:7');
    expect(code).toBe(1);
    expect(stderr).toMatch(/cannot be used: [^\n]+: check scheme, host and port of its URL\n$/);
  });

  test('the environment names is told with its variable, the first that is set', async () => {
    const nobody = `127.0.0.1:${String(await freePort())}`;
    const env = { HTTPS_PROXY: `http://me:hunter2@${nobody}`, ALL_PROXY: 'socks5://127.0.0.1:1' };
    const { code, stderr } = await connect(env, 'ws://127.0.0.1:7');
    expect(code).toBe(1);
    expect(stderr).toMatch(/the proxy 127\.0\.0\.1:\d+, which HTTPS_PROXY names, cannot be used/);
    expect(stderr).not.toContain('hunter2');
    const mux = ['forward', '--listen', '127.0.0.1:0', '--mux', 'ws://127.0.0.1:7'];
    const program = wsconn(mux, { env });
    const [line] = await program.prints(/the proxy .* cannot be used: .*/);
    // The hint to a server of another kind would lead astray.
    expect(line).not.toContain('is it wsconn serve');
  });
});
