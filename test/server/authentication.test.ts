import { EventEmitter } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

import { describe, expect, onTestFinished, test } from 'vitest';

import {
  type Authenticate,
  connect,
  createServer,
  type CreateServerOptions,
  type WsConnServer,
} from '../../src/index.ts';
import { next, turns } from '../support/events.ts';
import {
  collect,
  converse,
  dialTcp,
  handshakeRequest,
  rawClient,
} from '../support/peers/raw-peer.ts';

async function listening(
  authenticate: Authenticate,
  options: CreateServerOptions = {},
): Promise<{ server: WsConnServer; port: number }> {
  const server = createServer({ ...options, authenticate }).listen(0, '127.0.0.1');
  onTestFinished(() => server.close());
  await next(server, 'listening');
  return { server, port: (server.address() as AddressInfo).port };
}

/** An answer that no type allows, and that programs give all the same. */
function nonsense(answer: unknown): Authenticate {
  return () => answer as boolean;
}

/**
 * Waits for an answer that the test gives by emitting 'answer', and emits 'asked' with the request.
 */
function waitsFor(gate: EventEmitter): Authenticate {
  return async (request) => {
    const answer = next(gate, 'answer');
    gate.emit('asked', request);
    return (await answer)[0] as boolean;
  };
}

const rejection = new Error('the database is down');

describe('authenticate', () => {
  test.each([
    ['true', () => true],
    ['a promise of true', () => Promise.resolve(true)],
  ])('lets a request pass with %s', async (_answer, authenticate) => {
    const { server, port } = await listening(authenticate);
    const connection = next(server, 'connection');
    const { peer, head } = await rawClient(port);
    expect(head).toContain('101');
    await connection;
    expect(server.connections).toBe(1);
    peer.socket.destroy();
  });

  test.each<[string, Authenticate, number, object | undefined]>([
    ['false', () => false, 401, undefined],
    ['a promise of false', () => Promise.resolve(false), 401, undefined],
    ['a status', () => ({ status: 403 }), 403, undefined],
    ['a promise of a status', () => Promise.resolve({ status: 429 }), 429, undefined],
    [
      'a throw',
      () => {
        throw rejection;
      },
      500,
      rejection,
    ],
    ['a rejection', () => Promise.reject(rejection), 500, rejection],
    ['no answer in time', () => new Promise(() => undefined), 503, { code: 'ETIMEDOUT' }],
    ['undefined', nonsense(undefined), 500, { code: 'ERR_INVALID_ARG_TYPE' }],
    ['null', nonsense(null), 500, { code: 'ERR_INVALID_ARG_TYPE' }],
    ['a promise of undefined', nonsense(Promise.resolve()), 500, { code: 'ERR_INVALID_ARG_TYPE' }],
    ['a string', nonsense('yes'), 500, { code: 'ERR_INVALID_ARG_TYPE' }],
    ['1', nonsense(1), 500, { code: 'ERR_INVALID_ARG_TYPE' }],
    ['status 200', nonsense({ status: 200 }), 500, { code: 'ERR_INVALID_ARG_TYPE' }],
    ['status 101', nonsense({ status: 101 }), 500, { code: 'ERR_INVALID_ARG_TYPE' }],
    [
      'a status that is no number',
      nonsense({ status: '403' }),
      500,
      { code: 'ERR_INVALID_ARG_TYPE' },
    ],
  ])('refuses before the upgrade with %s', async (_answer, authenticate, status, cause) => {
    const { server, port } = await listening(authenticate, { authenticateTimeout: 500 });
    const told = next(server, 'refused');
    const answer = await converse(port, handshakeRequest());
    expect(answer.slice(0, 12)).toBe(`HTTP/1.1 ${String(status)}`);
    const [request, toldStatus, toldCause] = (await told) as [IncomingMessage, number, unknown];
    expect([request.url, toldStatus]).toEqual(['/', status]);
    if (cause === undefined) expect(toldCause).toBeUndefined();
    else expect(toldCause).toMatchObject(cause);
    expect(server.connections).toBe(0);
  });

  test('gives its headers to the client', async () => {
    const { port } = await listening(() => ({
      status: 401,
      headers: {
        'WWW-Authenticate': ['Basic realm="a"', 'Bearer'],
        'Retry-After': 5,
        'X-Not-There': undefined,
      },
    }));
    const answer = await converse(port, handshakeRequest());
    expect(answer).toContain('WWW-Authenticate: Basic realm="a"\r\nWWW-Authenticate: Bearer\r\n');
    expect(answer).toContain('Retry-After: 5\r\n');
    expect(answer).not.toContain('X-Not-There');
  });

  test('cannot send what would be read as headers of its own', async () => {
    const headers = { 'X-Who': 'a\r\nX-Injected: 1' };
    const { server, port } = await listening(() => ({ status: 401, headers }));
    const refused = next(server, 'refused');
    const answer = await converse(port, handshakeRequest());
    expect(answer).toContain('500 Internal Server Error');
    expect(answer).not.toContain('X-Injected');
    expect((await refused)[2]).toMatchObject({ code: 'ERR_INVALID_CHAR' });
  });

  test('replaces a header however it is spelt', async () => {
    const headers = { 'content-type': 'text/html' };
    const { port } = await listening(() => ({ status: 401, headers }));
    const answer = await converse(port, handshakeRequest());
    expect(answer.match(/^content-type: .*$/gim)).toEqual(['content-type: text/html']);
  });

  test('sees the request as it came', async () => {
    let seen: IncomingMessage | undefined;
    const { port } = await listening((request) => {
      seen = request;
      return false;
    });
    await converse(port, handshakeRequest({ Authorization: 'Bearer abc' }, '/x?y=z'));
    expect(seen?.url).toBe('/x?y=z');
    expect(seen?.headers.authorization).toBe('Bearer abc');
  });

  test('may answer after the client has gone', async () => {
    const gate = new EventEmitter();
    const asked = next(gate, 'asked') as Promise<[IncomingMessage]>;
    const { server, port } = await listening(waitsFor(gate));
    let connections = 0;
    server.on('connection', (adapter) => {
      connections++;
      adapter.on('error', () => undefined);
    });
    const socket = await dialTcp(port);
    socket.write(handshakeRequest());
    const gone = next((await asked)[0].socket, 'close');
    socket.resetAndDestroy();
    await gone;
    gate.emit('answer', true);
    await turns(5);
    expect([connections, server.connections]).toEqual([0, 0]);
  });

  test('is not waited for by close(): the client gets 503 and a later answer changes nothing', async () => {
    const gate = new EventEmitter();
    const asked = next(gate, 'asked');
    const { server, port } = await listening(waitsFor(gate));
    const socket = await dialTcp(port);
    socket.write(handshakeRequest());
    await asked;
    const text = collect(socket);
    const closing = server.close();
    gate.emit('answer', true);
    await closing;
    expect(await text).toContain('HTTP/1.1 503');
  });

  test('does not keep a client that sends bytes before the answer from its connection', async () => {
    const { server, port } = await listening(async () => {
      await turns(20);
      return true;
    });
    const connection = next(server, 'connection');
    const socket = await dialTcp(port);
    onTestFinished(() => {
      socket.destroy();
    });
    // A masked binary frame of one byte, with a mask of zeros.
    socket.write(
      Buffer.concat([Buffer.from(handshakeRequest()), Buffer.of(0x82, 0x81, 0, 0, 0, 0, 0x78)]),
    );
    const [adapter] = (await connection) as [NodeJS.ReadableStream];
    const [data] = await next(adapter, 'data');
    expect(String(data)).toBe('x');
  });
});

test('authenticate() may close the server', async () => {
  const server = createServer({
    authenticate: () => {
      void server.close();
      return true;
    },
  }).listen(0, '127.0.0.1');
  await next(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const refused = next(connect(`ws://127.0.0.1:${String(port)}`), 'error');
  expect((await refused)[0]).toMatchObject({ statusCode: 503 });
  await server.close();
});
