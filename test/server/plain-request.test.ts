import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';

import { describe, expect, onTestFinished, test } from 'vitest';

import { createServer } from '../../src/index.ts';
import { next } from '../support/events.ts';
import { converse } from '../support/peers/raw-peer.ts';
import { makeCertificate } from '../support/programs/certificate.ts';

/** Lets an HTTP server listen for one test. */
async function listen(web: http.Server): Promise<number> {
  web.listen(0, '127.0.0.1');
  onTestFinished(() => {
    web.close();
    web.closeAllConnections();
  });
  await next(web, 'listening');
  return (web.address() as AddressInfo).port;
}

/** A plain request, by hand. */
function plain(host: string, target = '/'): string {
  return `GET ${target} HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
}

const HELP =
  'This is a WebSocket endpoint: connect to it with a WebSocket client, such as npx wsconn connect';

describe('a plain request to a WebSocket endpoint', () => {
  test('gets 426 and one line of help, on a given server to which nobody else listens', async () => {
    const web = http.createServer();
    const server = createServer({ server: web, path: '/tunnel' });
    const port = await listen(web);
    const answer = await converse(port, plain('example.com:8080', '/tunnel?token=secret'));
    const [head = '', body] = answer.split('\r\n\r\n');
    expect(head).toMatch(/^HTTP\/1\.1 426 Upgrade Required\r\n/);
    expect(head).toMatch(/^Connection: close\r?$/im);
    expect(head).toMatch(/^Upgrade: websocket\r?$/im);
    expect(head).toMatch(/^Content-Type: text\/plain; charset=utf-8\r?$/im);
    expect(body).toContain(`${HELP} ws://example.com:8080/tunnel\n`);
    expect(body).not.toContain('secret');
    await server.close();
    expect(web.listenerCount('request')).toBe(0);
  });

  test('gets it from the server that listen() makes', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    onTestFinished(() => server.close());
    await next(server, 'listening');
    const { port } = server.address() as AddressInfo;
    expect(await converse(port, plain('[::1]:80', '/a/b'))).toContain(`${HELP} ws://[::1]:80/a/b`);
  });

  test.each([
    ['a host that is none', plain('a b$(x)', '/x'), 'ws://HOST/x'],
    ['no host', 'GET /x HTTP/1.0\r\n\r\n', 'ws://HOST/x'],
    ['a path for a shell', plain('x', '/;$(reboot)'), 'ws://x/PATH'],
    ['a whole URL', plain('x', 'http://y/z'), 'ws://x/PATH'],
  ])('shows nothing in it that is no address: %s', async (_what, request, shown) => {
    const web = http.createServer();
    const server = createServer({ server: web });
    const port = await listen(web);
    const answer = await converse(port, request);
    expect(answer).toContain(' 426 ');
    expect(answer).toContain(`${HELP} ${shown}\n`);
    await server.close();
  });

  test('is told of wss where it came over TLS', async () => {
    const web = https.createServer(makeCertificate('openssl', 'localhost'));
    const server = createServer({ server: web });
    const port = await listen(web);
    const request = https.get({ port, host: '127.0.0.1', rejectUnauthorized: false, path: '/t' });
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    expect(response.statusCode).toBe(426);
    const body = Buffer.concat((await response.toArray()) as Buffer[]).toString();
    expect(body).toBe(`${HELP} wss://127.0.0.1:${String(port)}/t\n`);
    await server.close();
  });

  test('is left to others who listen at that moment, before or since', async () => {
    const web = http.createServer();
    const server = createServer({ server: web });
    const port = await listen(web);
    expect(await converse(port, plain('x'))).toContain(' 426 ');
    web.on('request', (_request, response) => {
      response.end('a page');
    });
    const answer = await converse(port, plain('x'));
    expect(answer).toContain(' 200 ');
    expect(answer).toContain('a page');
    web.removeAllListeners('request');
    await server.close();
  });

  test('is answered once where servers of this package share the HTTP server', async () => {
    const web = http.createServer();
    const servers = ['/one', '/two'].map((path) => createServer({ server: web, path }));
    const port = await listen(web);
    const answer = await converse(port, plain('x'));
    expect(answer.split(HELP)).toHaveLength(2);
    await servers[0]?.close();
    expect(await converse(port, plain('x'))).toContain(' 426 ');
    await servers[1]?.close();
  });
});
