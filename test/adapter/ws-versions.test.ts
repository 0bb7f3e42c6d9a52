import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

import { describe, expect, onTestFinished, test } from 'vitest';
import * as current from 'ws';

import { bytesOf, sha256 } from '../../src/conformance/frame/bytes.ts';
import { type WsConnAdapterOptions, WsConnAdapter } from '../../src/index.ts';
import { next, record } from '../support/events.ts';
import { stopAfterTest } from '../support/pairs/meet.ts';
import { readAll } from '../support/reading.ts';

/** A WebSocket of another version, or what claims to be one. */
type AnyWebSocket = current.WebSocket;

interface AnyWs {
  readonly WebSocket: typeof current.WebSocket;
  readonly WebSocketServer: typeof current.WebSocketServer;
}

/** Loads a version of ws by the name under which it is installed; ws 7 has its server elsewhere. */
async function load(name: string): Promise<AnyWs> {
  const loaded = (await import(name)) as Partial<AnyWs> & {
    readonly default: AnyWs['WebSocket'] & { readonly Server: AnyWs['WebSocketServer'] };
  };
  const { WebSocket = loaded.default, WebSocketServer = loaded.default.Server } = loaded;
  return { WebSocket, WebSocketServer };
}

async function connected({
  WebSocket,
  WebSocketServer,
}: AnyWs): Promise<[AnyWebSocket, AnyWebSocket]> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  const connection = next(server, 'connection');
  const client = new WebSocket(`ws://127.0.0.1:${String((server.address() as AddressInfo).port)}`);
  const opened = next(client, 'open');
  const [served] = (await connection) as [AnyWebSocket];
  onTestFinished(async () => {
    client.terminate();
    served.terminate();
    await new Promise((resolve) => {
      server.close(resolve);
    });
  });
  await opened;
  return [client, served];
}

// The lowest version that has all that the adapter needs, and the highest there is.
describe.each(['ws-8.3', 'ws'])('a WebSocket of %s', (name) => {
  async function pair(options: WsConnAdapterOptions = {}): Promise<[WsConnAdapter, WsConnAdapter]> {
    const [client, served] = await connected(await load(name));
    const adapters = [
      new WsConnAdapter(client, options),
      new WsConnAdapter(served, options),
    ] as const;
    stopAfterTest(...adapters);
    return [...adapters];
  }

  test('carries bytes both ways, with back pressure and half close', async () => {
    const [a, b] = await pair({ halfClose: true, allowHalfOpen: true });
    const [there, back] = [bytesOf(1, 3_000_000), bytesOf(2, 3_000_000)];
    const [mine, others] = [record(a), record(b)];
    a.end(there);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(sha256(await readAll(b))).toBe(sha256(there));
    b.end(back);
    expect(sha256(await readAll(a))).toBe(sha256(back));
    await Promise.all([mine.closed, others.closed]);
    expect([...mine.errors, ...others.errors]).toEqual([]);
  });

  test('ends by close(), and by a cut, as any other', async () => {
    const [a, b] = await pair();
    const others = record(b.resume());
    expect(await a.close()).toBeNull();
    await others.closed;
    expect(others.names).toEqual(['end', 'finish', 'close']);
    const [c, d] = await pair();
    const cut = record(d.resume());
    c.on('error', () => undefined).resetAndDestroy();
    await cut.closed;
    expect(cut.errors[0]).toMatchObject({ code: 'ECONNRESET' });
  });

  test('is given up closeTimeout after the Close of a peer that reads no more', async () => {
    const [client, served] = await connected(await load(name));
    const adapter = new WsConnAdapter(client, { closeTimeout: 200 });
    const recording = record(adapter.resume());
    served.pause();
    adapter.write(Buffer.alloc(20_000_000));
    await new Promise((resolve) => setTimeout(resolve, 200));
    served.close(1000);
    await recording.closed;
    expect(recording.errors[0]).toMatchObject({ code: 'EPIPE', closeCode: 1000 });
  });

  test('is kept alive by pings', async () => {
    const [a] = await pair();
    const told = next(a, 'pong');
    a.ping({ interval: 20 });
    expect((await told)[0]).toBeGreaterThanOrEqual(0);
  });
});

describe('a WebSocket that lacks what the adapter needs', () => {
  test.each(['ws-8.2', 'ws-7'])(
    'is refused by the constructor, with what is missing: %s',
    async (name) => {
      const [client, served] = await connected(await load(name));
      for (const ws of [client, served]) {
        expect(() => new WsConnAdapter(ws)).toThrow(
          expect.objectContaining({
            code: 'ERR_INVALID_ARG_TYPE',
            message: expect.stringMatching(/ws.*8\.3 or newer.*pause, resume/) as unknown,
          }) as Error,
        );
      }
    },
  );

  test('is refused where it has no socket below, at once or when it opens', async () => {
    /** A shim with the face of ws and nothing below it, as other runtimes have them. */
    class Shim extends current.WebSocket {}
    const [client] = await connected(current);
    const bare = Object.create(client, {
      _socket: { value: undefined },
      readyState: { value: client.OPEN },
    }) as AnyWebSocket;
    expect(() => new WsConnAdapter(bare)).toThrow(/a socket below/);
    const later = new Shim('ws://127.0.0.1:1');
    const adapter = new WsConnAdapter(later);
    const recording = record(adapter);
    // As if it had opened without one.
    later.emit('open');
    await recording.closed;
    expect(recording.errors[0]?.message).toContain('a socket below');
  });

  test('is refused where it is the web’s own', () => {
    const events = new EventTarget() as unknown as AnyWebSocket;
    expect(() => new WsConnAdapter(events)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }) as Error,
    );
  });
});
