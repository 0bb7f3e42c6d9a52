/** --follow-redirects: where it leads, and what goes along. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http, { type IncomingHttpHeaders } from 'node:http';
import https from 'node:https';
import net, { type AddressInfo } from 'node:net';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';

import { createServer } from '../../../src/index.ts';
import { makeFolder } from '../../../test/support/folder.ts';
import { listenForTest } from '../../../test/support/peers/listen.ts';
import { echo, target } from '../../../test/support/peers/target.ts';
import { makeAuthority } from '../../../test/support/programs/authority.ts';
import { describeWith } from '../../../test/support/programs/program.ts';
import { runWsconn, serve } from '../../../test/support/wsconn.ts';

let folder: Awaited<ReturnType<typeof makeFolder>>;

beforeAll(async () => {
  folder = await makeFolder();
});
afterAll(() => folder.remove());

/** Has a server send every request elsewhere; returns its port. */
async function redirecting(server: http.Server | https.Server, to: string): Promise<number> {
  server.on('request', (_request, response: http.ServerResponse) => {
    response.writeHead(302, { Location: to }).end();
  });
  return listenForTest(server);
}

/** Starts an echo server that collects the headers of its requests; returns its URL. */
async function collecting(seen: IncomingHttpHeaders[]): Promise<string> {
  const server = createServer((adapter, { headers }) => {
    seen.push(headers);
    adapter.pipe(adapter);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    await server.close();
  });
  return `ws://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
}

const SECRETS = {
  WSCONN_TOKEN: 'open-sesame',
  WSCONN_HEADER: 'Cookie: a=hunter2\nX-Api-Key: hunter3\nHost: first.example',
};

describe('a redirect to another host', () => {
  test('is followed without token and headers, by each command', async () => {
    const seen: IncomingHttpHeaders[] = [];
    const second = await collecting(seen);
    const first = await redirecting(http.createServer(), `${second}/there`);
    const url = `ws://127.0.0.1:${String(first)}`;
    const run = (...args: string[]): ReturnType<typeof runWsconn> =>
      runWsconn([...args, '--follow-redirects', url], { input: 'hello', env: SECRETS });
    expect(await run('connect')).toEqual({ code: 0, stdout: 'hello', stderr: '' });
    expect(await run('ping', '--count', '1')).toMatchObject({ code: 0 });
    expect(await run('doctor', '--steps', '0.1')).toMatchObject({ code: 0 });
    expect(seen.length).toBeGreaterThan(3);
    for (const headers of seen) {
      expect(headers).toMatchObject({ upgrade: 'websocket', host: second.replace('ws://', '') });
      expect(JSON.stringify(headers)).not.toMatch(/open-sesame|hunter|first\.example/);
    }
  });

  test('is not followed without the option', async () => {
    const seen: IncomingHttpHeaders[] = [];
    const first = await redirecting(http.createServer(), await collecting(seen));
    const { code, stderr } = await runWsconn(['connect', `ws://127.0.0.1:${String(first)}`]);
    expect({ code, seen }).toEqual({ code: 1, seen: [] });
    expect(stderr).toMatch(/302/);
  });

  test('of the same host keeps token and headers', async () => {
    const seen: IncomingHttpHeaders[] = [];
    const server = createServer({ path: '/there' }, (adapter, { headers }) => {
      seen.push(headers);
      adapter.pipe(adapter);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(async () => {
      await server.close();
    });
    const { port } = server.address() as AddressInfo;
    // One host and port: what is in front sends requests for / to /there, and others through.
    const front = await target((socket) => {
      socket.once('data', (head: Buffer) => {
        if (head.toString().startsWith('GET / ')) {
          socket.end('HTTP/1.1 307 There\r\nLocation: /there\r\nContent-Length: 0\r\n\r\n');
          return;
        }
        const behind = net.connect(port, '127.0.0.1');
        behind.write(head);
        behind.on('error', () => socket.destroy());
        socket.pipe(behind).pipe(socket);
      });
    });
    const args = ['connect', '--follow-redirects', `ws://127.0.0.1:${String(front)}`];
    const ended = await runWsconn(args, { input: 'hello', env: SECRETS });
    expect(ended).toEqual({ code: 0, stdout: 'hello', stderr: '' });
    expect(seen).toMatchObject([{ authorization: 'Bearer open-sesame', 'x-api-key': 'hunter3' }]);
  });

  test('that goes round in a circle is given up', async () => {
    const first = await redirecting(http.createServer(), '/');
    const args = ['connect', '--follow-redirects', `ws://127.0.0.1:${String(first)}`];
    const { code, stderr } = await runWsconn(args);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^wsconn connect: [^\n]*redirects[^\n]*\n$/);
  });

  test('that leads to a socket of this machine is refused, and nothing is sent there', async () => {
    let bytes = 0;
    const path = join(folder.path, 'private.sock');
    const server = net.createServer((socket) =>
      socket.on('data', (chunk) => (bytes += chunk.length)),
    );
    await listenForTest(server, path);
    const first = await redirecting(http.createServer(), `ws+unix:${path}`);
    for (const command of ['connect', 'ping']) {
      const args = [command, '--follow-redirects', `ws://127.0.0.1:${String(first)}`];
      const { code, stderr } = await runWsconn(args);
      expect(code).toBe(1);
      expect(stderr).toMatch(
        /^wsconn \w+: 127\.0\.0\.1:\d+[^\n]* redirects to (?:ws\+unix:\/[^\n]+, which no server may choose|a socket file of this machine)[^\n]+\n$/,
      );
    }
    expect(bytes).toBe(0);
  });
});

describeWith('openssl', 'a redirect from wss://', () => {
  test('to ws:// is refused, to wss:// it is verified', async () => {
    const authority = await makeAuthority(folder.path);
    const { cert, key } = await authority.sign('redirecting');
    const seen: IncomingHttpHeaders[] = [];
    const tls = (): https.Server =>
      https.createServer({ cert: readFileSync(cert), key: readFileSync(key) });
    const down = await redirecting(tls(), await collecting(seen));
    const run = (port: number, ...args: string[]): ReturnType<typeof runWsconn> => {
      const url = `wss://127.0.0.1:${String(port)}`;
      const all = ['connect', '--follow-redirects', '--ca', authority.ca, ...args, url];
      return runWsconn(all, { input: 'hello' });
    };
    const plain = await run(down);
    expect({ code: plain.code, seen }).toEqual({ code: 1, seen: [] });
    expect(plain.stderr).toMatch(
      /redirects to ws:\/\/[^\n]+, which is not encrypted: give the URL/,
    );
    const secure = await serve(await target(echo), ['--tls-cert', cert, '--tls-key', key]);
    const across = await redirecting(tls(), secure.url);
    expect(await run(across)).toEqual({ code: 0, stdout: 'hello', stderr: '' });
    const other = await authority.sign('other-key');
    const strange = await serve(await target(echo), [
      '--tls-cert',
      other.cert,
      '--tls-key',
      other.key,
    ]);
    const away = await redirecting(tls(), strange.url);
    const wrong = await run(away, '--pin', `sha256/${'A'.repeat(43)}=`);
    const [, pin = ''] = /give --pin (\S+)\n/.exec(wrong.stderr) ?? [];
    // That of the first server lets nobody else in.
    const pinned = await run(away, '--pin', pin);
    expect(pinned.stderr).toMatch(/another public key than --pin says/);
  });
});
