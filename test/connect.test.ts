import http from 'node:http';
import net, { type AddressInfo } from 'node:net';

import { describe, expect, onTestFinished, test } from 'vitest';

import { connect, type ConnectOptions, createServer, type WsConnAdapter } from '../src/index.ts';
import { next, record, turns } from './support/events.ts';
import { serve, stopAfterTest } from './support/pairs/meet.ts';
import { rawServer } from './support/peers/raw-peer.ts';
import { readAll } from './support/reading.ts';

function dial(url: string, options?: ConnectOptions): WsConnAdapter {
  const adapter = connect(url, options);
  stopAfterTest(adapter);
  return adapter;
}

/** A server for one test that takes TCP and is told nothing else. */
async function listening(server: net.Server): Promise<number> {
  const sockets: net.Socket[] = [];
  server.on('connection', (socket: net.Socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
  });
  server.listen(0, '127.0.0.1');
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  await next(server, 'listening');
  return (server.address() as AddressInfo).port;
}

function urlOf(port: number): string {
  return `ws://127.0.0.1:${String(port)}/`;
}

describe('before the connection is there', () => {
  test('an adapter is connecting, and tells so', async () => {
    const { url } = await serve({});
    const adapter = dial(url);
    const recording = record(adapter);
    expect([adapter.connecting, adapter.pending, adapter.readyState]).toEqual([
      true,
      true,
      'opening',
    ]);
    expect([adapter.address(), adapter.remoteAddress]).toEqual([{}, undefined]);
    await next(adapter, 'ready');
    expect([adapter.connecting, adapter.pending, adapter.readyState]).toEqual([
      false,
      false,
      'open',
    ]);
    expect(adapter.remoteAddress).toBe('127.0.0.1');
    expect(adapter.remotePort).toBe(Number(new URL(url).port));
    expect(adapter.address()).toMatchObject({ address: '127.0.0.1', family: 'IPv4' });
    expect(recording.names).toEqual(['connect', 'ready']);
  });

  test('what is written is kept in order, of every size', async () => {
    const { url, accepted } = await serve({});
    const adapter = dial(url);
    const parts = ['first', '', 'x'.repeat(100_000), 'third', 'y'.repeat(200_000)];
    for (const part of parts) adapter.write(part);
    await turns(1);
    adapter.write('later');
    adapter.end('last');
    adapter.resume();
    const received = await readAll(await accepted);
    expect(received.toString() === `${parts.join('')}laterlast`).toBe(true);
  });

  test('end() alone ends the connection when it is there', async () => {
    const { url, accepted } = await serve({});
    const adapter = dial(url);
    const recording = record(adapter.resume());
    adapter.end();
    expect((await readAll(await accepted)).length).toBe(0);
    await recording.closed;
    expect(recording.errors).toEqual([]);
    expect(recording.names).toContain('connect');
  });

  test('write() gives false at the high-water mark', async () => {
    const { url, accepted } = await serve({});
    const adapter = dial(url, { writableHighWaterMark: 10 });
    expect(adapter.write('12345')).toBe(true);
    expect(adapter.write('67890')).toBe(false);
    await next(adapter, 'drain');
    expect(adapter.bytesWritten).toBe(10);
    (await accepted).resume();
  });
});

describe('a handshake that fails', () => {
  test('is the error of the system when nobody listens', async () => {
    const recording = record(dial('ws://127.0.0.1:1/'));
    await recording.closed;
    expect(recording.names).toEqual(['error', 'close']);
    expect(recording.errors[0]).toMatchObject({ code: 'ECONNREFUSED', syscall: 'connect' });
  });

  test.each([200, 301, 400, 401, 403, 404, 426, 500, 503])(
    'is ECONNREFUSED with the status %i',
    async (status) => {
      const port = await listening(
        http.createServer((_request, response) => {
          response.writeHead(status, { Location: 'ws://127.0.0.1:1/', Connection: 'close' });
          response.end('no');
        }),
      );
      const adapter = dial(urlOf(port));
      const recording = record(adapter);
      const closing = adapter.ws;
      await recording.closed;
      expect(recording.names).toEqual(['error', 'close']);
      expect(recording.errors[0]).toMatchObject({
        name: 'WsConnError',
        code: 'ECONNREFUSED',
        statusCode: status,
      });
      expect(closing.eventNames()).toEqual([]);
    },
  );

  test('names the host, and each address that was tried, where it has several and nobody listens', async () => {
    const socket = connect('ws://both.test:1', {
      lookup: (_host, _options, callback) => {
        callback(null, [
          { address: '::1', family: 6 },
          { address: '127.0.0.1', family: 4 },
        ]);
      },
    });
    const recording = record(socket);
    await recording.closed;
    const [error] = recording.errors as (AggregateError & NodeJS.ErrnoException)[];
    expect(error).toMatchObject({ code: 'ECONNREFUSED' });
    expect(error?.message).toContain('both.test:1');
    expect(error?.message).toMatch(/::1 port 1 \(E\w+\)/);
    expect(error?.message).toContain('127.0.0.1 port 1 (ECONNREFUSED)');
    expect(error?.errors).toHaveLength(2);
    expect(await socket.close()).toBe(error);
  });

  test('is ETIMEDOUT after handshakeTimeout with a server that never answers', async () => {
    const port = await listening(net.createServer());
    const recording = record(dial(urlOf(port), { handshakeTimeout: 100 }));
    await recording.closed;
    expect(recording.names).toEqual(['error', 'close']);
    expect(recording.errors[0]).toMatchObject({ code: 'ETIMEDOUT' });
    expect(recording.errors[0]?.message).toContain('100 ms');
  });

  test('is ETIMEDOUT with a server that answers without end', async () => {
    const timers: NodeJS.Timeout[] = [];
    onTestFinished(() => {
      for (const timer of timers) clearInterval(timer);
    });
    const server = net.createServer((socket) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\n');
      timers.push(setInterval(() => socket.write('X-More: and more\r\n'), 10));
    });
    const port = await listening(server);
    const recording = record(dial(urlOf(port), { handshakeTimeout: 200 }));
    await recording.closed;
    expect(recording.errors[0]).toMatchObject({ code: 'ETIMEDOUT' });
  });

  test('has no time limit left once it is done', async () => {
    const { url, accepted } = await serve({});
    const adapter = dial(url, { handshakeTimeout: 1_000 });
    await next(adapter, 'connect');
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    expect(adapter.destroyed).toBe(false);
    (await accepted).resume();
  });

  test('is an error of its kind when TCP ends within it', async () => {
    const port = await listening(net.createServer((socket) => socket.end()));
    const recording = record(dial(urlOf(port)));
    await recording.closed;
    expect(recording.names).toEqual(['error', 'close']);
    expect(recording.errors[0]).toMatchObject({ code: 'ECONNRESET' });
  });

  test.each([
    ['no key', { 'Sec-WebSocket-Accept': 'nonsense' }],
    ['an extension that was not asked for', { 'Sec-WebSocket-Extensions': 'permessage-deflate' }],
    ['a subprotocol that was not asked for', { 'Sec-WebSocket-Protocol': 'mqtt' }],
    ['another upgrade', { Upgrade: 'h2c' }],
  ])('is EPROTO with an answer that has %s', async (_what, lines) => {
    const server = await rawServer(lines);
    onTestFinished(() => server.stop());
    const recording = record(dial(server.url));
    await recording.closed;
    expect(recording.names).toEqual(['error', 'close']);
    expect(recording.errors[0]).toMatchObject({ name: 'WsConnError', code: 'EPROTO' });
    expect(recording.errors[0]?.cause).toBeInstanceOf(Error);
  });

  test('is an error of its kind with an answer that is no HTTP', async () => {
    const port = await listening(
      net.createServer((socket) => socket.write('SSH-2.0-OpenSSH_9.9\r\n')),
    );
    const recording = record(dial(urlOf(port)));
    await recording.closed;
    expect(recording.names).toEqual(['error', 'close']);
    expect(recording.errors[0]?.code).toMatch(/^HPE_/);
  });
});

describe('redirects', () => {
  async function redirecting(): Promise<number> {
    const { port } = await serve({});
    return listening(
      http.createServer((_request, response) => {
        response.writeHead(307, { Location: urlOf(port), Connection: 'close' }).end();
      }),
    );
  }

  test('are refused', async () => {
    const recording = record(dial(urlOf(await redirecting())));
    await recording.closed;
    expect(recording.errors[0]).toMatchObject({ code: 'ECONNREFUSED', statusCode: 307 });
  });

  test('are followed with followRedirects', async () => {
    const adapter = dial(urlOf(await redirecting()), { followRedirects: true });
    await next(adapter, 'connect');
  });
});

describe('signal', () => {
  test('aborted before, nothing is dialled for long', async () => {
    const { url } = await serve({});
    const adapter = dial(url, { signal: AbortSignal.abort('why') });
    const recording = record(adapter);
    await recording.closed;
    expect(recording.names).toEqual(['error', 'close']);
    expect(recording.errors[0]).toMatchObject({
      name: 'AbortError',
      code: 'ABORT_ERR',
      cause: 'why',
    });
  });

  test('aborted during the handshake, gives it up', async () => {
    const port = await listening(net.createServer());
    const controller = new AbortController();
    const recording = record(dial(urlOf(port), { signal: controller.signal }));
    await turns(5);
    controller.abort();
    await recording.closed;
    expect(recording.names).toEqual(['error', 'close']);
    expect(recording.errors[0]).toMatchObject({ name: 'AbortError' });
  });

  test("aborted after 'connect', cuts the connection", async () => {
    const { url, accepted } = await serve({});
    const controller = new AbortController();
    const adapter = dial(url, { signal: controller.signal });
    const recording = record(adapter);
    await next(adapter, 'connect');
    const far = record((await accepted).resume());
    controller.abort();
    await Promise.all([recording.closed, far.closed]);
    expect(recording.errors[0]).toMatchObject({ name: 'AbortError' });
    expect(far.errors[0]).toMatchObject({ code: 'ECONNRESET' });
  });

  test('aborted after the end, changes nothing', async () => {
    const { url, accepted } = await serve({});
    const controller = new AbortController();
    const adapter = dial(url, { signal: controller.signal });
    const recording = record(adapter);
    await next(adapter, 'connect');
    (await accepted).resume();
    expect(await adapter.close()).toBeNull();
    controller.abort();
    await turns(3);
    expect(recording.errors).toEqual([]);
  });
});

test('headers go to the server, beside the offer of half close', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => server.close());
  await next(server, 'listening');
  const connection = next(server, 'connection');
  dial(urlOf((server.address() as AddressInfo).port), {
    headers: { Authorization: 'Bearer abc', 'X-Many': ['a', 'b'] },
  });
  const [adapter, request] = (await connection) as [WsConnAdapter, http.IncomingMessage];
  adapter.on('error', () => undefined);
  expect(request.headers).toMatchObject({
    authorization: 'Bearer abc',
    'x-many': 'a, b',
    'wsconn-features': 'half-close',
  });
});
