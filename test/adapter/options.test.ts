import { describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';

import {
  connect,
  createServer,
  type CreateServerOptions,
  Keepalive,
  type KeepaliveOptions,
  WsConnAdapter,
} from '../../src/index.ts';
import { next } from '../support/events.ts';
import { meetWs, serve } from '../support/pairs/meet.ts';

type Wrong = readonly [name: string, value: unknown, code: string];

const TYPE = 'ERR_INVALID_ARG_TYPE';
const RANGE = 'ERR_OUT_OF_RANGE';
const VALUE = 'ERR_INVALID_ARG_VALUE';

const OF_KEEPALIVE: readonly Wrong[] = [
  ['interval', 0, RANGE],
  ['interval', 1.5, RANGE],
  ['interval', Infinity, RANGE],
  ['interval', 2 ** 31, RANGE],
  ['interval', '15000', TYPE],
  ['interval', null, TYPE],
  ['pongTimeout', 0, RANGE],
  ['pongTimeout', true, TYPE],
];

const OF_ADAPTER: readonly Wrong[] = [
  ['allowHalfOpen', 'yes', TYPE],
  ['halfClose', 1, TYPE],
  ['halfClose', null, TYPE],
  ['keepalive', 'yes', TYPE],
  ['keepalive', 15_000, TYPE],
  ['keepalive', null, TYPE],
  ['closeTimeout', 0, RANGE],
  ['closeTimeout', 2 ** 31, RANGE],
  ['closeTimeout', '5000', TYPE],
  ['handshakeTimeout', 0, RANGE],
  ['handshakeTimeout', {}, TYPE],
  ['maxMessageSize', 0, RANGE],
  ['maxMessageSize', '64k', TYPE],
  ['maxPayload', 0, RANGE],
  ['maxPayload', 2 ** 31, RANGE],
  ['tcpEndIsEof', 0, TYPE],
  ['readableHighWaterMark', -1, RANGE],
  ['writableHighWaterMark', Number.NaN, RANGE],
  ['writableHighWaterMark', '1', TYPE],
];

const OF_SERVER: readonly Wrong[] = [
  ['path', 'tunnel', VALUE],
  ['path', 5, TYPE],
  ['authenticate', true, TYPE],
  ['authenticateTimeout', 0, RANGE],
  ['maxConnections', -1, RANGE],
  ['maxConnections', '1', TYPE],
  ['server', {}, TYPE],
  ['server', 8080, TYPE],
];

function naming(name: string, code: string): Error {
  return expect.objectContaining({
    code,
    message: expect.stringContaining(name) as string,
  }) as Error;
}

describe('an option that is no good is named in the error', () => {
  test.each<Wrong>([...OF_ADAPTER, ['signal', {}, TYPE]])(
    'WsConnAdapter: %s %o',
    async (name, value, code) => {
      const { url } = await serve({});
      const ws = new WebSocket(url);
      const make = (): WsConnAdapter => new WsConnAdapter(ws, { [name]: value });
      try {
        expect(make).toThrow(naming(name, code));
        expect(ws.eventNames()).toEqual([]);
      } finally {
        ws.on('error', () => undefined);
        const closed = next(ws, 'close');
        ws.terminate();
        await closed;
      }
    },
  );

  test.each<Wrong>(OF_ADAPTER)('connect: %s %o', async (name, value, code) => {
    const { url } = await serve({});
    expect(() => connect(url, { [name]: value })).toThrow(naming(name, code));
  });

  test.each([...OF_ADAPTER, ...OF_SERVER])('createServer: %s %o', (name, value, code) => {
    expect(() => createServer({ [name]: value } as CreateServerOptions)).toThrow(
      naming(name, code),
    );
  });

  test.each(OF_KEEPALIVE)('Keepalive, ping() and keepalive: %s %o', async (name, value, code) => {
    const { adapter } = await meetWs('client');
    const options = { [name]: value } as KeepaliveOptions;
    const before = adapter.ws.eventNames();
    expect(() => new Keepalive(adapter.ws, options)).toThrow(naming(name, code));
    expect(() => adapter.ping(options)).toThrow(naming(name, code));
    expect(() => createServer({ keepalive: options })).toThrow(
      naming(`options.keepalive.${name}`, code),
    );
    expect(adapter.ws.eventNames()).toEqual(before);
  });

  test.each([
    ['Keepalive', (none: object, ws: WebSocket) => new Keepalive(ws, none)],
    ['createServer', (none: object) => createServer(none)],
    ['connect', (none: object) => connect('ws://127.0.0.1:1', none)],
  ])('%s: options of null', async (_what, make) => {
    const { adapter } = await meetWs('client');
    expect(() => make(null as unknown as object, adapter.ws)).toThrow(naming('options', TYPE));
  });
});

describe('what connect() and WsConnAdapter are given is named where it is no good', () => {
  test.each([
    ['', 'ERR_INVALID_URL'],
    ['no url', 'ERR_INVALID_URL'],
    ['ftp://example.com', VALUE],
    ['ws://example.com/#fragment', VALUE],
  ])('url %o', (url, code) => {
    expect(() => connect(url)).toThrow(expect.objectContaining({ code }) as Error);
  });

  test.each([null, undefined, {}, 'ws://', new EventTarget()])('ws %o', (ws) => {
    expect(() => new WsConnAdapter(ws as WebSocket)).toThrow(naming('ws', TYPE));
  });

  test('a WebSocket that has an adapter, and one that is closing or closed', async () => {
    const { adapter } = await meetWs('client');
    const stateError = expect.objectContaining({ code: 'ERR_INVALID_STATE' }) as Error;
    expect(() => new WsConnAdapter(adapter.ws)).toThrow(stateError);
    const { url } = await serve({});
    const ws = new WebSocket(url);
    await next(ws, 'open');
    const closed = next(ws, 'close');
    ws.close();
    expect(() => new WsConnAdapter(ws)).toThrow(stateError);
    await closed;
    expect(() => new WsConnAdapter(ws)).toThrow(stateError);
  });
});
