import { describe, expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';

import { connect, type WsConnAdapter } from '../../../src/index.ts';
import { next, record, turns } from '../../support/events.ts';
import { meetAdapter, meetRaw, ROLES } from '../../support/pairs/meet.ts';
import { BINARY, CLOSE, TEXT } from '../../support/peers/frames.ts';
import type { RawPeer } from '../../support/peers/raw-peer.ts';

const SHORT = 100;

interface Emitter {
  eventNames(): (string | symbol)[];
  listenerCount(name: string | symbol): number;
}

/** The socket below a ws, as the tests see it. */
function below(ws: WebSocket): Emitter {
  return (ws as unknown as { readonly _socket: Emitter })._socket;
}

/** How many listeners there are for each event. */
function listeners(emitter: Emitter): Record<string, number> {
  return Object.fromEntries(
    emitter.eventNames().map((name) => [String(name), emitter.listenerCount(name)]),
  );
}

const ENDINGS: readonly (readonly [string, (adapter: WsConnAdapter, peer: RawPeer) => unknown])[] =
  [
    [
      'destroy() and the end of the peer',
      async (adapter, peer) => {
        adapter.destroy();
        await peer.closeCode();
        peer.socket.end();
      },
    ],
    ['destroy(error)', (adapter) => adapter.destroy(new Error('enough'))],
    ['resetAndDestroy()', (adapter) => adapter.resetAndDestroy()],
    ['close() without an answer', (adapter) => adapter.close()],
    [
      'close() with an answer',
      async (adapter, peer) => {
        const closing = adapter.close();
        peer.sendClose(await peer.closeCode());
        peer.socket.end();
        await closing;
      },
    ],
    [
      "the peer's Close",
      (_adapter, peer) => {
        peer.sendClose(1000);
        peer.socket.end();
      },
    ],
    [
      "the peer's Close with an error",
      (_adapter, peer) => {
        peer.sendClose(1011, 'broken');
        peer.socket.end();
      },
    ],
    ["the peer's TCP end", (_adapter, peer) => peer.socket.end()],
    ["the peer's TCP reset", (_adapter, peer) => peer.socket.resetAndDestroy()],
    [
      'a text message',
      (_adapter, peer) => {
        peer.send(TEXT, 'hello');
      },
    ],
    [
      'a bad frame',
      (_adapter, peer) => {
        peer.send(BINARY, 'hello', { reserved: 7 });
      },
    ],
    [
      'a Close that is not whole',
      (_adapter, peer) => {
        peer.send(CLOSE, Buffer.of(3));
      },
    ],
    [
      'both FINs',
      async (adapter, peer) => {
        peer.send(BINARY);
        adapter.end();
        peer.sendClose(await peer.closeCode());
        peer.socket.end();
      },
    ],
  ];

describe.each(ROLES)('what a %s leaves behind', (role) => {
  test.each(ENDINGS)('after %s is nothing', async (_name, end) => {
    const { adapter, peer } = await meetRaw(role, {
      halfClose: true,
      closeTimeout: SHORT,
      keepalive: { interval: 10_000 },
    });
    const recording = record(adapter.resume());
    const { ws } = adapter;
    const socket = below(ws);
    adapter.setTimeout(60_000);
    await end(adapter, peer);
    await recording.closed;
    await turns(2);
    expect(ws.readyState).toBe(ws.CLOSED);
    expect(ws.eventNames()).toEqual([]);
    expect(recording.count('close')).toBe(1);
    expect(recording.names.at(-1)).toBe('close');
    expect(recording.errors.length).toBeLessThanOrEqual(1);
    const plain = await plainAfter(role);
    for (const [name, count] of Object.entries(listeners(socket))) {
      expect({ name, count }).toEqual({ name, count: Math.min(count, plain[name] ?? 0) });
    }
  });

  test('while it is open is only its own, and is gone after the keepalive stops', async () => {
    const { adapter } = await meetAdapter(role);
    const before = listeners(below(adapter.ws));
    const keepalive = adapter.ping({ interval: 1 });
    await next(keepalive, 'pong');
    keepalive.stop();
    expect(listeners(below(adapter.ws))).toEqual(before);
  });
});

/**
 * The listeners that ws and Node leave on the socket of a plain WebSocket that has closed by
 * itself.
 */
async function plainAfter(role: 'client' | 'server'): Promise<Record<string, number>> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await next(server, 'listening');
  const connection = next(server, 'connection');
  const client = new WebSocket(
    `ws://127.0.0.1:${String((server.address() as { port: number }).port)}`,
  );
  await next(client, 'open');
  const served = (await connection)[0] as WebSocket;
  const ws = role === 'client' ? client : served;
  const socket = below(ws);
  const gone = Promise.all([next(client, 'close'), next(served, 'close')]);
  // With an error, because then ws leaves a listener that swallows what comes after it.
  (socket as unknown as { destroy(error: Error): void }).destroy(new Error('cut'));
  await gone;
  await new Promise((resolve) => {
    server.close(resolve);
  });
  return listeners(socket);
}

test('a client whose handshake fails leaves nothing behind', async () => {
  const adapter = connect('ws://127.0.0.1:1', { keepalive: true });
  const recording = record(adapter);
  await recording.closed;
  expect(recording.names).toEqual(['error', 'close']);
  expect(adapter.ws.eventNames()).toEqual([]);
});
