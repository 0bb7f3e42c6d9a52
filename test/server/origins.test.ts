/** Pages of strangers do not get in: a request with an Origin must be listed. */
import http from 'node:http';
import type { AddressInfo } from 'node:net';

import { describe, expect, onTestFinished, test } from 'vitest';

import {
  connect,
  createServer,
  type CreateServerOptions,
  type WsConnError,
} from '../../src/index.ts';
import { RevdialServer } from '../../src/revdial/index.ts';
import { next } from '../support/events.ts';

const PAGE = 'https://example.org';

async function urlOf(options: CreateServerOptions): Promise<string> {
  const server = createServer(options, (socket) => socket.resume()).listen(0, '127.0.0.1');
  onTestFinished(() => server.close());
  await next(server, 'listening');
  return `ws://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
}

/** Asks for a WebSocket as a page of that origin would; resolves with the HTTP status, 101 for yes. */
async function statusFor(url: string, origin?: string): Promise<number | undefined> {
  const socket = connect(url, origin === undefined ? {} : { headers: { Origin: origin } });
  const outcome = await Promise.race([next(socket, 'connect'), next(socket, 'error')]);
  if (outcome.length === 0) {
    await socket.close();
    return 101;
  }
  const [error] = outcome as [WsConnError];
  return error.statusCode;
}

test.each([PAGE, 'http://127.0.0.1:8080', 'null', 'file://', ''])(
  'a page of %o is refused with 403 by default',
  async (origin) => {
    expect(await statusFor(await urlOf({}), origin)).toBe(403);
  },
);

test('programs, which send no Origin, get in', async () => {
  expect(await statusFor(await urlOf({}))).toBe(101);
  expect(await statusFor(await urlOf({ origins: [PAGE] }))).toBe(101);
});

test('a listed origin gets in, and no other', async () => {
  const url = await urlOf({ origins: [PAGE, 'null'] });
  expect(await statusFor(url, PAGE)).toBe(101);
  expect(await statusFor(url, 'null')).toBe(101);
  for (const other of [
    'https://example.org.evil',
    'http://example.org',
    'https://example.org:444',
  ]) {
    expect(await statusFor(url, other)).toBe(403);
  }
});

test('* lets all pages in', async () => {
  expect(await statusFor(await urlOf({ origins: ['*'] }), 'https://any.example')).toBe(101);
});

test('a page is refused before authenticate() is asked', async () => {
  let asked = 0;
  const url = await urlOf({ authenticate: () => Boolean(++asked) });
  expect(await statusFor(url, PAGE)).toBe(403);
  expect(asked).toBe(0);
});

test('the refusal says which option lets a page in, and escapes what it was sent', async () => {
  const url = new URL(await urlOf({}));
  const headers = {
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': 'AAAAAAAAAAAAAAAAAAAAAA==',
    Origin: 'https://a"b',
  };
  const request = http.get({ host: url.hostname, port: url.port, headers });
  const [response] = (await next(request, 'response')) as [http.IncomingMessage];
  response.setEncoding('utf8');
  const body = (await response.toArray()).join('');
  expect(response.statusCode).toBe(403);
  expect(body).toContain(String.raw`"https://a\"b"`);
  expect(body).toMatch(/origins of createServer\(\), wsconn serve --allow-origin/);
});

test("'refused' tells who was refused and why", async () => {
  const server = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => server.close());
  await next(server, 'listening');
  const refused = next(server, 'refused');
  const { port } = server.address() as AddressInfo;
  expect(await statusFor(`ws://127.0.0.1:${String(port)}`, PAGE)).toBe(403);
  const [, status, cause] = await refused;
  expect(status).toBe(403);
  expect((cause as WsConnError).message).toContain(PAGE);
});

test('revdial refuses a page that dials back', async () => {
  const revdial = new RevdialServer({ path: '/dial' });
  const server = http.createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  server.on('upgrade', (request, socket, head) => {
    revdial.handleUpgrade(request, socket, head);
  });
  await next(server, 'listening');
  const { port } = server.address() as AddressInfo;
  expect(await statusFor(`ws://127.0.0.1:${String(port)}/dial`, PAGE)).toBe(403);
  expect(await statusFor(`ws://127.0.0.1:${String(port)}/dial`)).toBe(400);
});

describe('the option origins', () => {
  test.each([
    ['https://example.org/'],
    ['example.org'],
    ['https://Example.org'],
    ['https://example.org:443'],
    ['https://bücher.example'],
    ['https://me@example.org'],
    ['https://'],
    [''],
    [1],
    [null],
  ])('refuses %o', (origin) => {
    const options = { origins: [origin] } as unknown as CreateServerOptions;
    expect(() => createServer(options)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' }) as Error,
    );
  });

  test.each(['http://[::1]:8080', 'chrome-extension://abcdef', 'file://'])('takes %s', (origin) => {
    expect(() => createServer({ origins: [origin] })).not.toThrow();
  });

  test('refuses what is no list', () => {
    const options = { origins: PAGE } as unknown as CreateServerOptions;
    expect(() => createServer(options)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }) as Error,
    );
  });
});
