import http from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

import { describe, expect, onTestFinished, test } from 'vitest';

import { connect } from '../../../src/index.ts';
import { closeOf, next, record, turns } from '../../support/events.ts';
import { meetAdapter, meetRaw, meetWs, ROLES, stopAfterTest } from '../../support/pairs/meet.ts';
import { CLOSE } from '../../support/peers/frames.ts';
import { rawServer } from '../../support/peers/raw-peer.ts';
import { readAll } from '../../support/reading.ts';

const TOO_MUCH = 32 * 1024 * 1024;
const HALVES = [{ halfClose: false }, { halfClose: true }];

describe.each(ROLES)('destroying a %s', (role) => {
  describe.each(HALVES)('with %o', (half) => {
    test('with nothing unsent is an end to an adapter', async () => {
      const { adapter, peer } = await meetAdapter(role, half);
      const [mine, others] = [record(adapter), record(peer)];
      await new Promise((resolve) => adapter.write('the last bytes', resolve));
      adapter.destroy();
      expect(adapter.destroyed).toBe(true);
      expect((await readAll(peer)).toString()).toBe('the last bytes');
      await Promise.all([mine.closed, others.closed]);
      expect(mine.names).toEqual(['close']);
      expect(mine.hadError).toBe(false);
      expect(others.names).toEqual(['end', 'finish', 'close']);
    });

    test('after end() with nothing unsent is an end to an adapter, compressed or not', async () => {
      for (const perMessageDeflate of [false, true]) {
        const { adapter, peer } = await meetAdapter(role, {
          ...half,
          perMessageDeflate,
          allowHalfOpen: true,
        });
        const received = readAll(peer);
        await new Promise((resolve) => adapter.write('the last bytes', resolve));
        adapter.end();
        adapter.destroy();
        expect(String(await received)).toBe('the last bytes');
      }
    });

    test('within a data handler that has put much back takes no time', async () => {
      const { adapter, peer } = await meetAdapter(role, { ...half, closeTimeout: 60_000 });
      peer.resume();
      const closed = closeOf(adapter);
      adapter.once('data', (chunk: Buffer) => {
        adapter.pause();
        adapter.unshift(chunk);
        adapter.destroy();
      });
      peer.write(Buffer.alloc(adapter.readableHighWaterMark));
      await closed;
    });

    test('with an error is ECONNRESET to an adapter', async () => {
      const { adapter, peer } = await meetAdapter(role, half);
      const [mine, others] = [record(adapter), record(peer.resume())];
      const reason = new Error('enough');
      adapter.destroy(reason);
      await Promise.all([mine.closed, others.closed]);
      expect(mine.names).toEqual(['error', 'close']);
      expect(mine.errors).toEqual([reason]);
      expect(mine.hadError).toBe(true);
      expect(others.names).toEqual(['error', 'close']);
      expect(others.errors[0]).toMatchObject({ code: 'ECONNRESET', closeCode: 1006 });
    });

    test('with bytes unsent is ECONNRESET to an adapter', async () => {
      const { adapter, peer } = await meetAdapter(role, half);
      const [mine, others] = [record(adapter), record(peer)];
      adapter.write(Buffer.alloc(TOO_MUCH));
      await turns(3);
      adapter.destroy();
      await mine.closed;
      peer.resume();
      await others.closed;
      expect(mine.names).toEqual(['close']);
      expect(others.names).toEqual(['error', 'close']);
      expect(others.errors[0]).toMatchObject({ code: 'ECONNRESET' });
    });

    test('with a write of the same turn unsent is ECONNRESET to an adapter', async () => {
      const { adapter, peer } = await meetAdapter(role, half);
      const others = record(peer.resume());
      adapter.write('never sent');
      adapter.destroy();
      await others.closed;
      expect(others.errors[0]).toMatchObject({ code: 'ECONNRESET' });
    });

    test('with nothing unsent sends Close 1000 and the TCP end together', async () => {
      const { adapter, peer } = await meetRaw(role, half);
      const closed = closeOf(adapter);
      adapter.destroy();
      expect(await peer.closeCode()).toBe(1000);
      expect(await peer.tcpEnd).toBe('end');
      await closed;
      expect(peer.frames).toHaveLength(1);
    });

    test('with an error sends no Close', async () => {
      const { adapter, peer } = await meetRaw(role, half);
      const closed = closeOf(adapter);
      adapter.destroy(new Error('enough'));
      await peer.tcpEnd;
      await closed;
      expect(peer.frames).toEqual([]);
    });

    test('does not wait for a peer that neither reads nor answers', async () => {
      const { adapter, peer } = await meetRaw(role, half);
      peer.socket.pause();
      const recording = record(adapter);
      adapter.destroy();
      await recording.closed;
      expect(recording.names).toEqual(['close']);
    });

    test('resetAndDestroy() is a TCP reset', async () => {
      const { adapter, peer } = await meetRaw(role, half);
      const recording = record(adapter);
      adapter.write('some bytes');
      adapter.resetAndDestroy();
      expect(await peer.tcpEnd).toBe('reset');
      await recording.closed;
      expect(recording.names).toEqual(['close']);
      expect(peer.frames.filter(({ opcode }) => opcode === CLOSE)).toEqual([]);
    });

    test('resetAndDestroy() is ECONNRESET to an adapter', async () => {
      const { adapter, peer } = await meetAdapter(role, half);
      const others = record(peer.resume());
      adapter.resetAndDestroy();
      await others.closed;
      expect(others.errors[0]).toMatchObject({ code: 'ECONNRESET', cause: { code: 'ECONNRESET' } });
    });

    test('destroySoon() sends what was written and is an end to the peer', async () => {
      const { adapter, peer } = await meetAdapter(role, half);
      const [mine, others] = [record(adapter), record(peer)];
      const bytes = Buffer.alloc(1_000_000, 'x');
      adapter.write(bytes);
      adapter.destroySoon();
      expect((await readAll(peer)).equals(bytes)).toBe(true);
      await Promise.all([mine.closed, others.closed]);
      expect(mine.errors).toEqual([]);
      expect(others.names).toEqual(['end', 'finish', 'close']);
    });
  });

  test('is an end to a plain ws with Close 1000', async () => {
    const { adapter, peer } = await meetWs(role);
    const gone = next(peer, 'close');
    adapter.destroy();
    expect((await gone)[0]).toBe(1000);
  });

  test('while the reader holds the peer back is an end to it', async () => {
    const { adapter, peer } = await meetWs(role, { readableHighWaterMark: 16 });
    peer.send(Buffer.alloc(1000));
    await next(adapter, 'readable');
    const gone = next(peer, 'close');
    const recording = record(adapter);
    adapter.destroy();
    expect((await gone)[0]).toBe(1000);
    await recording.closed;
    expect(recording.names).toEqual(['close']);
  });

  test('drops an error that comes after the first', async () => {
    const { adapter } = await meetWs(role);
    const recording = record(adapter);
    const first = new Error('first');
    adapter.destroy(first);
    adapter.destroy(new Error('second'));
    adapter.write('third', () => undefined);
    await recording.closed;
    await turns(3);
    expect(recording.errors).toEqual([first]);
    expect(adapter.errored).toBe(first);
    expect(recording.names).toEqual(['error', 'close']);
  });
});

describe('destroying a client that is still connecting', () => {
  test.each([
    ['destroy()', (a: ReturnType<typeof connect>) => a.destroy()],
    ['resetAndDestroy()', (a: ReturnType<typeof connect>) => a.resetAndDestroy()],
  ])('%s gives the handshake up at once', async (_name, destroy) => {
    const server = await rawServer();
    onTestFinished(() => server.stop());
    const adapter = connect(server.url);
    stopAfterTest(adapter);
    const recording = record(adapter);
    destroy(adapter);
    expect(adapter.connecting).toBe(false);
    await recording.closed;
    expect(recording.names).toEqual(['close']);
    expect(adapter.ws.readyState).toBe(adapter.ws.CLOSED);
  });

  test('destroy() during the handshake never reports a connect', async () => {
    const held = http.createServer().listen(0, '127.0.0.1');
    await next(held, 'listening');
    const { port } = held.address() as AddressInfo;
    const asked = next(held, 'upgrade');
    const adapter = connect(`ws://127.0.0.1:${String(port)}`);
    const recording = record(adapter);
    const socket = (await asked)[1] as Socket;
    socket.on('error', () => undefined);
    adapter.destroy();
    await recording.closed;
    expect(recording.names).toEqual(['close']);
    socket.destroy();
    await new Promise((resolve) => held.close(resolve));
  });
});

test('an error that a write has met is the first one, though destroy(error) comes in the same tick', async () => {
  const { adapter, peer } = await meetWs('server', { allowHalfOpen: true });
  const recording = record(adapter);
  peer.close(1000);
  await next(adapter.ws, 'close');
  // A write of a whole message is tried at once, and nobody is there to take it.
  adapter.write(Buffer.alloc(100_000));
  adapter.destroy(new Error('too late to be the first'));
  await recording.closed;
  expect(recording.errors).toMatchObject([{ code: 'EPIPE' }]);
  expect(adapter.errored).toBe(recording.errors[0]);
  expect(await adapter.close()).toBe(recording.errors[0]);
});
