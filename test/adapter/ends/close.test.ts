import { describe, expect, onTestFinished, test } from 'vitest';

import { connect, WsConnError } from '../../../src/index.ts';
import { closeOf, next, record, turns } from '../../support/events.ts';
import { meetAdapter, meetRaw, meetWs, ROLES } from '../../support/pairs/meet.ts';
import { BINARY } from '../../support/peers/frames.ts';
import { rawServer } from '../../support/peers/raw-peer.ts';
import { readAll } from '../../support/reading.ts';

/** Only where nobody is to answer. */
const SHORT = 150;
const TOO_MUCH = 32 * 1024 * 1024;
const HALVES = [{ halfClose: false }, { halfClose: true }];

describe.each(ROLES)('close() of a %s', (role) => {
  describe.each(HALVES)('with %o', (half) => {
    test('sends what was written, ends in order and resolves with null after the event', async () => {
      const { adapter, peer } = await meetAdapter(role, half);
      const [mine, others] = [record(adapter), record(peer)];
      const bytes = Buffer.alloc(1_000_000, 'x');
      adapter.write(bytes);
      const promise = adapter.close();
      void promise.then(() => mine.seen.push({ name: 'resolved', args: [] }));
      expect((await readAll(peer)).equals(bytes)).toBe(true);
      expect(await promise).toBeNull();
      await others.closed;
      expect(mine.names).toEqual(['finish', 'close', 'resolved']);
      expect(mine.hadError).toBe(false);
      expect(others.names).toEqual(['end', 'finish', 'close']);
    });

    test('throws away what arrives meanwhile, from a peer that was held back', async () => {
      const { adapter, peer } = await meetAdapter(role, { ...half, readableHighWaterMark: 16 });
      const others = record(peer.resume());
      await new Promise((resolve) => peer.write(Buffer.alloc(1_000_000), resolve));
      const received: Buffer[] = [];
      const closing = adapter.close();
      adapter.on('data', (chunk: Buffer) => received.push(chunk));
      expect(await closing).toBeNull();
      await others.closed;
      expect(Buffer.concat(received).length).toBeLessThanOrEqual(65_536);
      expect(others.errors).toEqual([]);
    });

    test('resolves with ETIMEDOUT when the peer never answers', async () => {
      const { adapter, peer } = await meetRaw(role, { ...half, closeTimeout: SHORT });
      const recording = record(adapter);
      const error = await adapter.close();
      expect(error).toMatchObject({ code: 'ETIMEDOUT' });
      expect(recording.errors).toEqual([error]);
      expect(adapter.errored).toBe(error);
      expect(await peer.closeCode()).toBe(1000);
    });

    test('resolves with ETIMEDOUT when the peer never answers, after both directions had been open or ended', async () => {
      const { adapter, peer } = await meetRaw(role, {
        ...half,
        allowHalfOpen: true,
        closeTimeout: SHORT,
      });
      const ended = half.halfClose ? next(adapter, 'end') : turns(2);
      peer.send(BINARY);
      await ended;
      adapter.write('an answer');
      expect(await adapter.close()).toMatchObject({ code: 'ETIMEDOUT' });
    });

    test('resolves with ETIMEDOUT when what was written does not drain', async () => {
      const { adapter, peer } = await meetRaw(role, { ...half, closeTimeout: SHORT });
      peer.socket.pause();
      const written = new Promise((resolve) => adapter.write(Buffer.alloc(TOO_MUCH), resolve));
      const error = await adapter.close();
      expect(error).toBeInstanceOf(WsConnError);
      expect(error).toMatchObject({ code: 'ETIMEDOUT' });
      expect(error?.message).toMatch(/\d+ written bytes were not all sent/);
      expect(await written).toBe(error);
    });

    test('is no error when the peer closes at the same time', async () => {
      const { adapter, peer } = await meetAdapter(role, half);
      expect(await Promise.all([adapter.close(), peer.close()])).toEqual([null, null]);
    });

    test('comes after a plain end()', async () => {
      const { adapter, peer } = await meetAdapter(role, { ...half, allowHalfOpen: true });
      adapter.end('bytes');
      expect((await readAll(peer)).toString()).toBe('bytes');
      peer.end();
      expect(await adapter.close()).toBeNull();
    });

    test('limits a plain end() that is not answered', async () => {
      const { adapter, peer } = await meetRaw(role, { ...half, closeTimeout: SHORT });
      adapter.end('bytes');
      await peer.received(5);
      expect(await adapter.close()).toMatchObject({ code: 'ETIMEDOUT' });
    });
  });

  test('ends once TCP is all that is missing, without an error', async () => {
    const { adapter, peer } = await meetRaw(role, { closeTimeout: SHORT });
    const closing = adapter.close();
    peer.sendClose(await peer.closeCode());
    expect(await closing).toBeNull();
  });

  test('sends the code and the reason, and an answer with the same code is no error', async () => {
    const { adapter, peer } = await meetWs(role);
    const gone = next(peer, 'close');
    expect(await adapter.close(4321, 'maintenance')).toBeNull();
    const [code, reason] = await gone;
    expect([code, String(reason)]).toEqual([4321, 'maintenance']);
  });

  test('is ECONNRESET for the adapter at the other end when the code is no orderly one', async () => {
    const { adapter, peer } = await meetAdapter(role);
    const others = record(peer.resume());
    expect(await adapter.close(4321, 'maintenance')).toBeNull();
    await others.closed;
    expect(others.errors[0]).toMatchObject({
      code: 'ECONNRESET',
      closeCode: 4321,
      closeReason: 'maintenance',
    });
  });

  test('resolves with the error that came before', async () => {
    const { adapter } = await meetWs(role);
    const reason = new Error('enough');
    adapter.destroy(reason);
    expect(await adapter.close()).toBe(reason);
    expect(await adapter.close()).toBe(reason);
  });

  test('resolves with the error of a peer that cuts the connection meanwhile', async () => {
    const { adapter, peer } = await meetRaw(role);
    const closing = adapter.close();
    await peer.closeCode();
    peer.socket.resetAndDestroy();
    expect(await closing).toMatchObject({ code: 'ECONNRESET' });
  });

  test('resolves after the end, with what the connection ended with', async () => {
    const { adapter, peer } = await meetWs(role);
    peer.close(1000);
    await readAll(adapter);
    await closeOf(adapter);
    expect(await adapter.close()).toBeNull();
    const again = adapter.close(4000, 'other');
    expect(again).toBe(adapter.close());
    expect(await again).toBeNull();
  });

  test('during destroy() resolves when that is done', async () => {
    const { adapter } = await meetWs(role);
    adapter.destroy();
    const recording = record(adapter);
    expect(await adapter.close()).toBeNull();
    expect(recording.names).toEqual(['close']);
  });

  test('is what await using calls', async () => {
    const { adapter, peer } = await meetWs(role);
    const gone = next(peer, 'close');
    {
      await using socket = adapter;
      socket.write('bytes');
    }
    expect(adapter.closed).toBe(true);
    expect((await gone)[0]).toBe(1000);
  });

  test.each([
    [999, '', 'ERR_OUT_OF_RANGE', /"code"/],
    [1004, '', 'ERR_OUT_OF_RANGE', /"code"/],
    [1005, '', 'ERR_OUT_OF_RANGE', /"code"/],
    [1006, '', 'ERR_OUT_OF_RANGE', /"code"/],
    [1015, '', 'ERR_OUT_OF_RANGE', /"code"/],
    [2999, '', 'ERR_OUT_OF_RANGE', /"code"/],
    [5000, '', 'ERR_OUT_OF_RANGE', /"code"/],
    [1000.5, '', 'ERR_OUT_OF_RANGE', /"code"/],
    [Number.NaN, '', 'ERR_OUT_OF_RANGE', /"code"/],
    ['1000', '', 'ERR_INVALID_ARG_TYPE', /"code"/],
    [1000, 5, 'ERR_INVALID_ARG_TYPE', /"reason"/],
    [1000, 'é'.repeat(62), 'ERR_OUT_OF_RANGE', /"reason"/],
  ])(
    'refuses code %o and reason %o and leaves the connection alone',
    async (code, reason, error, names) => {
      const { adapter, peer } = await meetWs(role);
      const close = (): unknown => adapter.close(code as number, reason as string);
      expect(close).toThrow(expect.objectContaining({ code: error }) as Error);
      expect(close).toThrow(names);
      const arrived = next(peer, 'message');
      adapter.write('still here');
      expect(String((await arrived)[0])).toBe('still here');
      expect(await adapter.close(1000, 'é'.repeat(61))).toBeNull();
    },
  );
});

test('close() while connecting gives the handshake up and resolves with null', async () => {
  const server = await rawServer();
  onTestFinished(() => server.stop());
  const adapter = connect(server.url);
  const recording = record(adapter);
  adapter.write('never sent');
  const first = adapter.close();
  expect(adapter.close()).toBe(first);
  expect(await first).toBeNull();
  expect(recording.names).toEqual(['close']);
});

test('an error is no unhandled one for who only awaits close()', async () => {
  const server = await rawServer();
  onTestFinished(() => server.stop());
  const adapter = connect(server.url, { closeTimeout: SHORT });
  const peer = await server.peer;
  peer.socket.pause();
  await next(adapter, 'connect');
  expect(await adapter.close()).toMatchObject({ code: 'ETIMEDOUT' });
});
