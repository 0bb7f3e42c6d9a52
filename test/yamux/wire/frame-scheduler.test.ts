import { createServer as createHttpServer } from 'node:http';
import type { Socket } from 'node:net';
import { Duplex, duplexPair } from 'node:stream';
import { setImmediate } from 'node:timers/promises';

import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';

import { bytesOf, sha256 } from '../../../src/conformance/frame/bytes.ts';
import { WsConnAdapter } from '../../../src/index.ts';
import { YamuxSession } from '../../../src/yamux/index.ts';
import { FrameDecoder, INITIAL_WINDOW } from '../../../src/yamux/wire/frame.ts';
import { closeOf, next, record } from '../../support/events.ts';
import { readAll } from '../../support/reading.ts';
import { type MakeTransport, openStream, overAdapter, overTcp, sessionPair } from '../pairs.ts';

const MIB = 1024 * 1024;

/** Returns the bodies of the frames in `runs`, in order. */
function bodiesOf(runs: readonly Buffer[]): Buffer[] {
  const bodies: Buffer[] = [];
  const decoder = new FrameDecoder({
    onHeader: () => undefined,
    onBody: (piece) => bodies.push(piece),
  });
  for (const run of runs) decoder.decode(run);
  return bodies;
}

describe('the memory of what a session sends', () => {
  test('stays as it was for a transport that calls back before it has read it', async () => {
    const kept: Buffer[] = [];
    const transport = new Duplex({
      read: () => undefined,
      write: (chunk: Buffer, _encoding, callback) => {
        kept.push(chunk);
        void setImmediate().then(() => {
          callback();
        });
      },
      final(callback) {
        this.push(null);
        callback();
      },
    });
    record(transport);
    const session = new YamuxSession(transport, { role: 'client', keepalive: false });
    record(session.open().end(bytesOf(1, INITIAL_WINDOW)));
    await session.close();
    expect(sha256(bodiesOf(kept))).toBe(sha256(bytesOf(1, INITIAL_WINDOW)));
  });

  const sockets: readonly (readonly [string, MakeTransport])[] = [
    ['TCP', overTcp],
    ['an adapter', overAdapter],
  ];
  test.each(sockets)(
    'is used again over %s, and no byte of it is lost',
    async (_name, makeTransport) => {
      const sessions = await sessionPair({}, {}, makeTransport);
      onTestFinished(() => sessions.stop());
      const { a: transport } = sessions.transport;
      const memory = new Set<ArrayBufferLike>();
      const write = vi.spyOn(transport, 'write');
      const { a, b } = await openStream(sessions.a, sessions.b);
      const bytes = bytesOf(2, 8 * MIB);
      a.end(bytes);
      expect(sha256(await readAll(b))).toBe(sha256(bytes));
      for (const [chunk] of write.mock.calls) memory.add((chunk as Buffer).buffer);
      // Runs of 64 KiB would take 128 pieces of fresh memory.
      expect(memory.size).toBeLessThan(16);
    },
  );

  test('is not used again over a WebSocket that runs over a stream which hands it on', async () => {
    const [near, far] = duplexPair();
    const accepted = new Promise<WsConnAdapter>((resolve) => {
      const http = createHttpServer();
      http.on('upgrade', (request, socket, head) => {
        new WebSocketServer({ noServer: true }).handleUpgrade(request, socket, head, (ws) => {
          resolve(new WsConnAdapter(ws));
        });
      });
      http.emit('connection', near);
    });
    const raw = new WebSocket('ws://in-memory/', { createConnection: () => far as Socket });
    const [a, b] = [new WsConnAdapter(raw), await accepted];
    const transport = {
      a,
      b,
      stop: () => Promise.all([closeOf(a), closeOf(b)]).then(() => undefined),
    };
    const sessions = await sessionPair({}, {}, () => Promise.resolve(transport));
    onTestFinished(() => sessions.stop());
    // Servers do not mask, so what they send is what they were given.
    const streams = await openStream(sessions.b, sessions.a);
    const received = readAll(streams.b);
    const sent = bytesOf(3, MIB);
    for (let at = 0; at < sent.length; at += 8_000) {
      if (!streams.a.write(sent.subarray(at, at + 8_000))) await next(streams.a, 'drain');
      await setImmediate();
    }
    streams.a.end();
    expect(sha256(await received)).toBe(sha256(sent));
  });
});
