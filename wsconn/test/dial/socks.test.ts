/** SOCKS 5 proxies: real ones, and answers that real ones give seldom. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { makeFolder } from '../../../test/support/folder.ts';
import { freePort } from '../../../test/support/free-port.ts';
import { echo, target } from '../../../test/support/peers/target.ts';
import { makeAuthority } from '../../../test/support/programs/authority.ts';
import { describeWith } from '../../../test/support/programs/program.ts';
import { startMicrosocks, startSshSocks } from '../../../test/support/proxies/socks.ts';
import { forward, runWsconn, serve } from '../../../test/support/wsconn.ts';

let folder: Awaited<ReturnType<typeof makeFolder>>;

beforeAll(async () => {
  folder = await makeFolder();
});
afterAll(() => folder.remove());

/** Runs connect through a proxy with some input. */
function connect(
  proxy: string,
  url: string,
  args: readonly string[] = [],
  env: NodeJS.ProcessEnv = {},
): ReturnType<typeof runWsconn> {
  return runWsconn(['connect', ...args, url], {
    input: 'hello',
    env: { WSCONN_PROXY: proxy, ...env },
  });
}

const WORKS = { code: 0, stdout: 'hello', stderr: '' };

describeWith('sshd', 'through ssh -D', (sshd) => {
  /** Starts a proxy; returns its URL. */
  const startProxy = async (scheme: string): Promise<string> =>
    `${scheme}://127.0.0.1:${String(await startSshSocks(sshd))}`;

  describe.each(['socks5', 'socks5h'])('by %s', (scheme) => {
    test('connect works, by name and by address, with TLS and without', async () => {
      const authority = await makeAuthority(folder.path);
      const { cert, key } = await authority.sign('behind-ssh');
      const to = await target(echo);
      const plain = await serve(to);
      const secure = await serve(to, ['--tls-cert', cert, '--tls-key', key]);
      const proxy = await startProxy(scheme);
      for (const host of ['127.0.0.1', 'localhost']) {
        const at = (url: string): string => url.replace('127.0.0.1', host);
        expect(await connect(proxy, at(plain.url))).toEqual(WORKS);
        expect(await connect(proxy, at(secure.url), ['--ca', authority.ca])).toEqual(WORKS);
      }
    });

    test('forward, ping and doctor work', async () => {
      const { url } = await serve(await target(echo));
      const proxy = await startProxy(scheme);
      const env = { WSCONN_PROXY: proxy };
      expect(await runWsconn(['ping', '--count', '2', url], { env })).toMatchObject({
        code: 0,
        stdout: expect.stringContaining(
          `pong from ${proxy.replace(`${scheme}://`, '')}: seq=2`,
        ) as string,
      });
      const doctor = ['doctor', '--steps', '0.1', url];
      expect(await runWsconn(doctor, { env })).toMatchObject({ code: 0 });
      const local = await forward(url, ['--mux'], { env });
      await local.program.prints(/connected to/);
    });
  });
});

describeWith('microsocks', 'through a SOCKS proxy', (microsocks) => {
  test('that wants a login it gets that of the variable', async () => {
    const { url } = await serve(await target(echo));
    const port = await startMicrosocks(microsocks, ['-u', 'bob', '-P', 'hun:ter/2']);
    const at = `127.0.0.1:${String(port)}`;
    expect(await connect(`socks5h://bob:hun%3Ater%2F2@${at}`, url)).toEqual(WORKS);
    const wrong = await connect(`socks5h://bob:hunter3@${at}`, url, ['--verbose']);
    expect(wrong.stderr).toMatch(
      /^wsconn connect: the proxy 127\.0\.0\.1:\d+ does not connect to 127\.0\.0\.1:\d+: it refuses user or password: check those in its URL\n/,
    );
    expect(wrong).toMatchObject({ code: 1, stdout: '' });
    expect(wrong.stderr).not.toContain('hunter3');
    const without = await connect(`socks5h://${at}`, url);
    expect(without.stderr).toMatch(
      /it requires a login: put user and password into .*WSCONN_PROXY/,
    );
  });

  test('a server that refuses or has no address is told as the proxy tells it', async () => {
    const proxy = `socks5h://127.0.0.1:${String(await startMicrosocks(microsocks))}`;
    const refused = await connect(proxy, `ws://127.0.0.1:${String(await freePort())}`);
    expect(refused.stderr).toMatch(/the server refuses the connection \(5\): check host and port/);
    const unknown = await connect(proxy, 'ws://nosuch.invalid');
    expect(unknown.stderr).toMatch(/does not connect to nosuch\.invalid: it .*\(\d\)/);
    // Looked up here, it is no affair of the proxy.
    const here = await connect(proxy.replace('socks5h', 'socks5'), 'ws://nosuch.invalid');
    expect(here.stderr).toBe(
      'wsconn connect: nosuch.invalid: no host has that name: check its spelling (ENOTFOUND)\n',
    );
  });

  test('of ALL_PROXY all goes, unless NO_PROXY excludes it', async () => {
    const { url } = await serve(await target(echo));
    const at = `127.0.0.1:${String(await startMicrosocks(microsocks))}`;
    const none = `socks5h://127.0.0.1:${String(await freePort())}`;
    const run = (env: NodeJS.ProcessEnv): ReturnType<typeof runWsconn> =>
      runWsconn(['connect', url], { input: 'hello', env });
    expect(await run({ ALL_PROXY: `socks5h://${at}` })).toEqual(WORKS);
    expect(await run({ all_proxy: `socks5://${at}` })).toEqual(WORKS);
    expect(await run({ ALL_PROXY: none, NO_PROXY: '127.0.0.1' })).toEqual(WORKS);
    const failed = await run({ ALL_PROXY: none });
    expect(failed).toMatchObject({ code: 1, stdout: '' });
    expect(failed.stderr).toMatch(
      /^wsconn connect: the proxy 127\.0\.0\.1:\d+, which ALL_PROXY names, cannot be used: connection refused: [^\n]+\n$/,
    );
  });
});

/** Starts what speaks SOCKS 5 up to a reply; the kinds of address that it gets are collected. */
async function replying(reply: number, kinds: number[] = []): Promise<number> {
  return target((socket) => {
    socket.once('data', () => {
      socket.write(Buffer.of(5, 0));
      socket.once('data', (request: Buffer) => {
        kinds.push(request[3] ?? 0);
        socket.end(Buffer.of(5, reply, 0, 1, 0, 0, 0, 0, 0, 0));
      });
    });
  });
}

describe('a SOCKS proxy', () => {
  test.each([
    [1, /it failed, and does not say why \(1\)/],
    [2, /its rules do not allow this address or port \(2\): ask its operator/],
    [3, /it cannot reach the network of the server \(3\)/],
    [4, /it cannot reach the server \(4\)/],
    [5, /the server refuses the connection \(5\)/],
    [6, /it got no answer from the server \(6\)/],
    [7, /it does not support CONNECT \(7\)/],
    [8, /it does not support this kind of address \(8\): with socks5:\/\/ it gets an address/],
    [99, /it answered with the unknown reply 99/],
  ])('that replies %i is explained', async (reply, line) => {
    const port = String(await replying(reply));
    const { code, stderr } = await connect(`socks5h://127.0.0.1:${port}`, 'ws://example.org');
    expect(code).toBe(1);
    expect(stderr).toMatch(line);
    expect(stderr).toMatch(
      /^[^\n]*the proxy 127\.0\.0\.1:\d+ does not connect to example\.org: [^\n]+\n$/,
    );
  });

  test('gets the name with socks5h:, and an address with socks5:', async () => {
    const kinds: number[] = [];
    const at = `127.0.0.1:${String(await replying(2, kinds))}`;
    await connect(`socks5h://${at}`, 'ws://localhost');
    // A name: 3 (RFC 1928, section 4).
    expect(kinds).toEqual([3]);
    await connect(`socks5://${at}`, 'ws://localhost');
    expect(kinds.length).toBeGreaterThan(1);
    // IPv4: 1, IPv6: 4.
    for (const kind of kinds.slice(1)) expect([1, 4]).toContain(kind);
  });

  test.each([
    ['speaks HTTP', 'HTTP/1.1 400 Bad Request\r\n\r\n'],
    ['ends without a word', ''],
    ['ends within its answer', '\u0005'],
  ])('that %s cannot be used', async (_what, answer) => {
    const port = await target((socket) => {
      socket.once('data', () => socket.end(answer, 'latin1'));
    });
    const { code, stderr } = await connect(`socks5://127.0.0.1:${String(port)}`, 'ws://127.0.0.1');
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^[^\n]* cannot be used: [^\n]+: check scheme, host and port of its URL\n$/,
    );
  });

  test('or another that never answers is named, before the handshake is given up', async () => {
    const port = String(await target((socket) => socket.resume()));
    await Promise.all(
      ['socks5h', 'http', 'https'].map(async (scheme) => {
        const { code, stderr } = await connect(`${scheme}://127.0.0.1:${port}`, 'ws://127.0.0.1');
        expect(code).toBe(1);
        expect(stderr).toMatch(
          /^[^\n]*the proxy 127\.0\.0\.1:\d+ cannot be used: it did not open the way within 9 s: [^\n]+\n$/,
        );
      }),
    );
  }, 30_000);
});
