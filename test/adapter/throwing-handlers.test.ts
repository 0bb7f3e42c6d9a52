import { describe, expect, onTestFinished, test } from 'vitest';

import { connect, Keepalive, WsConnAdapter } from '../../src/index.ts';
import { next, record } from '../support/events.ts';
import { meetAdapter, meetWs, ROLES, serve, stopAfterTest } from '../support/pairs/meet.ts';
import { collectUncaught } from '../support/uncaught.ts';

const thrown = new Error('thrown by a handler');

describe.each(ROLES)('an error that a handler of a %s throws', (role) => {
  test.each([10, 10_000])(
    "in 'data' of %i bytes goes to the process, and reading goes on",
    async (size) => {
      const uncaught = collectUncaught();
      const { adapter, peer } = await meetAdapter(role);
      let got = 0;
      adapter.on('data', (chunk: Buffer) => {
        got += chunk.length;
        if (got === size) throw thrown;
      });
      peer.write(Buffer.alloc(size));
      while (uncaught.length === 0) await new Promise((resolve) => setImmediate(resolve));
      expect(uncaught).toEqual([thrown]);
      peer.write(Buffer.alloc(size));
      while (got < 2 * size) await next(adapter, 'data');
      peer.on('error', () => undefined).resume();
      expect(await adapter.close()).toBeNull();
    },
  );

  test("in 'pong' goes to the process, and close() ends in order", async () => {
    const uncaught = collectUncaught();
    const { adapter, peer } = await meetAdapter(role);
    peer.resume();
    adapter.once('pong', () => {
      throw thrown;
    });
    const keepalive = adapter.ping({ interval: 20 });
    while (uncaught.length === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(uncaught).toEqual([thrown]);
    keepalive.stop();
    expect(await adapter.close()).toBeNull();
  });
});

test("an error thrown in 'connect' loses nothing that was written before", async () => {
  const uncaught = collectUncaught();
  const { url, accepted } = await serve({});
  const adapter = connect(url);
  stopAfterTest(adapter);
  adapter.once('connect', () => {
    throw thrown;
  });
  adapter.write('early');
  const peer = await accepted;
  expect(String((await next(peer, 'data'))[0])).toBe('early');
  expect(uncaught).toEqual([thrown]);
});

test('a Keepalive that is older than the adapter may be stopped', async () => {
  const { adapter, peer } = await meetWs('client');
  const older = new Keepalive(peer);
  const second = new WsConnAdapter(peer, { closeTimeout: 50 });
  onTestFinished(() => void second.destroy());
  const recording = record(second);
  older.stop();
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(recording.names).toEqual([]);
  adapter.write('still here');
  expect(String((await next(second, 'data'))[0])).toBe('still here');
});

test('an adapter that is destroyed when a write has failed already has the error of that write', async () => {
  const { adapter, peer } = await meetWs('client', { allowHalfOpen: true });
  const recording = record(adapter.resume());
  peer.close(1000);
  await next(adapter, 'end');
  adapter.write('too late', () => adapter.destroy());
  await recording.closed;
  expect(recording.errors[0]).toMatchObject({ code: 'EPIPE' });
  expect(adapter.errored).toBe(recording.errors[0]);
  expect(await adapter.close()).toBe(recording.errors[0]);
});
