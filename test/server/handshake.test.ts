import http from 'node:http';
import type { AddressInfo } from 'node:net';

import { describe, expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';

import {
  connect,
  createServer,
  type CreateServerOptions,
  type WsConnAdapter,
  type WsConnServer,
} from '../../src/index.ts';
import { closeOf, next, turns } from '../support/events.ts';
import { stopAfterTest } from '../support/pairs/meet.ts';
import {
  collect,
  converse,
  dialTcp,
  handshakeRequest,
  rawClient,
} from '../support/peers/raw-peer.ts';

/** A server for one test, whose connections are read and dropped. */
async function listening(
  options: CreateServerOptions,
): Promise<{ server: WsConnServer; port: number }> {
  const server = createServer(options, (adapter) => {
    adapter.on('error', () => undefined).resume();
  }).listen(0, '127.0.0.1');
  onTestFinished(() => server.close());
  await next(server, 'listening');
  return { server, port: (server.address() as AddressInfo).port };
}

function urlOf(port: number, path = '/'): string {
  return `ws://127.0.0.1:${String(port)}${path}`;
}

/** Connects, and gives the error of the handshake. */
async function refused(url: string): Promise<unknown> {
  const adapter = connect(url);
  stopAfterTest(adapter);
  const [error] = await next(adapter, 'error');
  await closeOf(adapter);
  return error;
}

describe('a handshake that is no good', () => {
  test.each([
    [
      'a plain request',
      'GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
      '426',
      /Upgrade: websocket/i,
    ],
    [
      'a key that is none',
      handshakeRequest({ 'Sec-WebSocket-Key': 'short' }),
      '400',
      /Sec-WebSocket-Key/i,
    ],
    [
      'a version that is none',
      handshakeRequest({ 'Sec-WebSocket-Version': '1' }),
      '400',
      /Sec-WebSocket-Version/i,
    ],
    ['another upgrade', handshakeRequest({ Upgrade: 'h2c' }), '400', /Upgrade/i],
    ['another method', handshakeRequest().replace('GET', 'POST'), '405', /method/i],
    ['the wrong path', handshakeRequest({}, '/other'), '404', /Not Found/],
    ['garbage', '\x16\x03\x01\x00\xa5 this is TLS, or nothing\r\n\r\n', '400', /Bad Request/],
  ])('is refused with its status: %s', async (_what, request, status, says) => {
    const { server, port } = await listening({ path: '/' });
    const answer = await converse(port, request);
    expect(answer.slice(9, 12)).toBe(status);
    expect(answer).toMatch(says);
    expect(server.connections).toBe(0);
    const { peer, head } = await rawClient(port);
    expect(head).toContain('101');
    peer.socket.destroy();
  });

  test.each([
    ['a key that is none', handshakeRequest({ 'Sec-WebSocket-Key': 'short' }), 400],
    ['another method', handshakeRequest().replace('GET', 'POST'), 405],
    ['the wrong path', handshakeRequest({}, '/other'), 404],
  ])('is told by the event too: %s', async (_what, request, status) => {
    const { server, port } = await listening({ path: '/' });
    const told = next(server, 'refused');
    await converse(port, request);
    expect((await told)[1]).toBe(status);
  });

  test('is ECONNREFUSED with the status for who connects', async () => {
    const { port } = await listening({ path: '/right' });
    expect(await refused(urlOf(port, '/wrong'))).toMatchObject({
      code: 'ECONNREFUSED',
      statusCode: 404,
    });
  });

  test.each([
    ['nothing', ''],
    ['half a request', 'GET / HTTP/1.1\r\nHost: x\r\n'],
  ])('that idles is ended: a client that sent %s', async (_what, sent) => {
    const { server, port } = await listening({ handshakeTimeout: 100 });
    const socket = await dialTcp(port);
    socket.write(sent);
    await collect(socket);
    expect(server.connections).toBe(0);
  });
});

describe('the options of the handshake', () => {
  test('path looks at the path, not at the query', async () => {
    const { port } = await listening({ path: '/tunnel' });
    const adapter = connect(urlOf(port, '/tunnel?token=1'));
    stopAfterTest(adapter);
    await next(adapter, 'connect');
    expect(await refused(urlOf(port, '/tunnel/'))).toMatchObject({ statusCode: 404 });
  });

  test('maxConnections refuses one more with 503, and takes one again when one has gone', async () => {
    const { server, port } = await listening({ maxConnections: 1 });
    const first = connect(urlOf(port));
    stopAfterTest(first);
    const [accepted] = await next(server, 'connection');
    expect(server.connections).toBe(1);
    expect(await refused(urlOf(port))).toMatchObject({ code: 'ECONNREFUSED', statusCode: 503 });
    const gone = next(accepted as WsConnServer, 'close');
    await first.close();
    await gone;
    expect(server.connections).toBe(0);
    const second = connect(urlOf(port));
    stopAfterTest(second);
    await next(second, 'connect');
  });

  test('maxConnections counts handshakes that wait for their verdict', async () => {
    const { server, port } = await listening({
      maxConnections: 1,
      authenticate: () => new Promise(() => undefined),
    });
    const waiting = await dialTcp(port);
    onTestFinished(() => {
      waiting.destroy();
    });
    waiting.write(handshakeRequest());
    const told = next(server, 'refused');
    while (server.listenerCount('refused') > 0) {
      const answer = await Promise.race([
        converse(port, handshakeRequest()),
        turns(50).then(() => ''),
      ]);
      if (answer !== '') expect(answer).toContain('503');
    }
    expect((await told)[1]).toBe(503);
  });

  test('handleProtocols picks the subprotocol', async () => {
    const { port } = await listening({
      handleProtocols: (offered: Set<string>) => (offered.has('two') ? 'two' : false),
    });
    const adapter = connect(urlOf(port), { protocols: ['one', 'two'] });
    stopAfterTest(adapter);
    await next(adapter, 'connect');
    expect(adapter.ws.protocol).toBe('two');
    const failing = connect(urlOf(port), { protocols: 'three' });
    stopAfterTest(failing);
    expect((await next(failing, 'error'))[0]).toMatchObject({ code: 'EPROTO' });
  });

  test.each([
    ['agreed on', {}, {}, true],
    ['not by a server that will not', { halfClose: false }, {}, false],
    ['not by a client that will not', {}, { halfClose: false }, false],
    ['forced on both ends', { halfClose: true }, { halfClose: true }, true],
  ])('half close is %s', async (_how, ofServer, ofClient, halfCloses) => {
    const { server, port } = await listening({ ...ofServer, allowHalfOpen: true });
    const connection = next(server, 'connection');
    const adapter = connect(urlOf(port), { ...ofClient, allowHalfOpen: true });
    stopAfterTest(adapter);
    const [accepted] = (await connection) as [ReturnType<typeof connect>];
    adapter.end();
    await next(accepted, 'end');
    expect(accepted.ws.readyState === WebSocket.OPEN).toBe(halfCloses);
  });
});

describe('a shared http server', () => {
  async function shared(): Promise<{ web: http.Server; port: number }> {
    const web = http
      .createServer((_request, response) => response.end('a page'))
      .listen(0, '127.0.0.1');
    await next(web, 'listening');
    onTestFinished(
      () =>
        new Promise<void>((resolve) => {
          web.close(() => {
            resolve();
          });
        }),
    );
    return { web, port: (web.address() as AddressInfo).port };
  }

  test('keeps its pages, and paths that belong to other listeners', async () => {
    const { web, port } = await shared();
    const ignoreErrors = (adapter: WsConnAdapter): void => {
      adapter.on('error', () => undefined);
    };
    const one = createServer({ server: web, path: '/one' }, ignoreErrors);
    const two = createServer({ server: web, path: '/two' }, ignoreErrors);
    onTestFinished(async () => {
      await Promise.all([one.close(), two.close()]);
    });
    for (const [server, path] of [
      [one, '/one'],
      [two, '/two'],
    ] as const) {
      const connection = next(server, 'connection');
      const adapter = connect(urlOf(port, path));
      stopAfterTest(adapter);
      await Promise.all([connection, next(adapter, 'connect')]);
    }
    expect([one.connections, two.connections]).toEqual([1, 1]);
    expect(
      await converse(port, 'GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'),
    ).toContain('a page');
    expect(await converse(port, handshakeRequest({}, '/neither'))).toContain('404 Not Found');
    expect(one.address()).toEqual(web.address());
    expect(() => one.listen(0)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_STATE' }) as Error,
    );
  });

  test('goes on when close() has taken the listeners off it', async () => {
    const { web, port } = await shared();
    const before = web.eventNames().map((name) => [name, web.listenerCount(name)]);
    const server = createServer({ server: web });
    const adapter = connect(urlOf(port));
    stopAfterTest(adapter);
    await next(server, 'connection');
    const cut = next(adapter.resume(), 'error');
    await server.close();
    expect((await cut)[0]).toMatchObject({ closeCode: 1001 });
    expect(web.eventNames().map((name) => [name, web.listenerCount(name)])).toEqual(before);
    expect(web.listening).toBe(true);
    expect(
      await converse(port, 'GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'),
    ).toContain('a page');
  });

  test('is not needed: handleUpgrade() takes what it is given', async () => {
    const { web, port } = await shared();
    const server = createServer({ path: '/here' });
    web.on('upgrade', (request, socket, head) => {
      server.handleUpgrade(request, socket, head);
    });
    const connection = next(server, 'connection');
    const adapter = connect(urlOf(port, '/here'));
    stopAfterTest(adapter);
    adapter.on('error', () => undefined);
    await connection;
    expect(await refused(urlOf(port, '/there'))).toMatchObject({ statusCode: 404 });
    expect(server.address()).toBeNull();
    await server.close();
    expect(await refused(urlOf(port, '/here'))).toMatchObject({ statusCode: 503 });
  });
});
