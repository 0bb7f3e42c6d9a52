import { once } from 'node:events';

import { describe, expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';

import { WsConnAdapter } from '../../src/index.ts';
import { next, record } from '../support/events.ts';
import { serve } from '../support/pairs/meet.ts';
import { rawServer } from '../support/peers/raw-peer.ts';

/**
 * Whoever held the WebSocket before the adapter may listen to it, and close the adapter from there.
 */
describe('a listener of the WebSocket that is older than the adapter', () => {
  test.each(['close', 'destroy'] as const)(
    "may %s() it on 'error', and the handshake's error stays the first",
    async (how) => {
      // A port that was free may be somebody else's by now; nobody listens on this one.
      const ws = new WebSocket('ws://127.0.0.1:1');
      const closed = new Promise<unknown>((resolve) => {
        ws.on('error', () => {
          if (how === 'destroy') adapter.destroy();
          resolve(adapter.close());
        });
      });
      const adapter = new WsConnAdapter(ws);
      const recording = record(adapter);
      expect(await closed).toMatchObject({ code: 'ECONNREFUSED' });
      await recording.closed;
      expect(recording.errors).toMatchObject([{ code: 'ECONNREFUSED' }]);
      expect(recording.hadError).toBe(true);
    },
  );

  test("may close() it on 'open', within its time limit", async () => {
    const server = await rawServer();
    onTestFinished(() => server.stop());
    const ws = new WebSocket(server.url);
    const closed = new Promise<unknown>((resolve) => {
      ws.on('open', () => {
        resolve(adapter.close());
      });
    });
    const adapter = new WsConnAdapter(ws, { closeTimeout: 100 });
    record(adapter);
    expect(await closed).toMatchObject({ code: 'ETIMEDOUT' });
  });

  test("may close() it on 'close', and a cut stays one", async () => {
    const { url, accepted } = await serve({});
    const ws = new WebSocket(url);
    const closed = new Promise<unknown>((resolve) => {
      ws.on('close', () => {
        resolve(adapter.close());
      });
    });
    const adapter = new WsConnAdapter(ws);
    const recording = record(adapter);
    await next(adapter, 'connect');
    (await accepted).resetAndDestroy();
    expect(await closed).toMatchObject({ code: 'ECONNRESET' });
    expect(recording.hadError).toBe(true);
  });
});

test("close() in the callback of a write that was refused gives the write's error", async () => {
  const { url, accepted } = await serve({ allowHalfOpen: true });
  const adapter = new WsConnAdapter(new WebSocket(url), { allowHalfOpen: true });
  const recording = record(adapter);
  onTestFinished(async () => {
    await adapter.close();
  });
  await next(adapter, 'connect');
  (await accepted).destroy();
  adapter.resume();
  await once(adapter.ws, 'close');
  const closed = await new Promise<unknown>((resolve) => {
    adapter.write('late', () => {
      resolve(adapter.close());
    });
  });
  expect(closed).toMatchObject({ code: 'EPIPE' });
  expect(recording.hadError).toBe(true);
});
