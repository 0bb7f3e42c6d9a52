import { describe, expect, test } from 'vitest';

import { connect } from '../../src/index.ts';
import { closeOf, record, turns } from '../support/events.ts';
import { meetRaw, ROLES, stopAfterTest } from '../support/pairs/meet.ts';

/** More than the kernel takes of a connection that nobody reads. */
const TOO_MUCH = 32 * 1024 * 1024;

describe.each(ROLES)('the write callback of a %s', (role) => {
  test('comes with the error when the connection ends during the write', async () => {
    const { adapter, peer } = await meetRaw(role);
    peer.socket.pause();
    const recording = record(adapter);
    const first = new Promise((resolve) => adapter.write(Buffer.alloc(TOO_MUCH), resolve));
    const second = new Promise((resolve) => adapter.write('more', resolve));
    peer.socket.resetAndDestroy();
    const [error] = [await first, await second];
    await recording.closed;
    expect(error).toBe(recording.errors[0]);
    expect(error).toMatchObject({ code: 'ECONNRESET' });
  });

  test('comes when the stream is destroyed with an error during the write', async () => {
    const { adapter, peer } = await meetRaw(role);
    peer.socket.pause();
    const closed = closeOf(adapter);
    const written = new Promise((resolve) => adapter.write(Buffer.alloc(TOO_MUCH), resolve));
    await turns(2);
    const reason = new Error('enough');
    adapter.destroy(reason);
    expect(await written).toBe(reason);
    await closed;
  });

  test('says that the write is lost when the stream is destroyed without an error during it', async () => {
    const { adapter, peer } = await meetRaw(role);
    peer.socket.pause();
    const recording = record(adapter);
    const outcomes: unknown[] = [];
    adapter.write(Buffer.alloc(TOO_MUCH), (error) => outcomes.push(error));
    adapter.write('more', (error) => outcomes.push(error));
    await turns(2);
    adapter.destroy();
    await recording.closed;
    await turns(2);
    // net.Socket says null for the first: it would look as if those bytes had been handed on.
    expect(outcomes).toHaveLength(2);
    for (const outcome of outcomes) expect(outcome).toMatchObject({ code: 'ERR_STREAM_DESTROYED' });
    expect(recording.names).toEqual(['close']);
    expect(await adapter.close()).toBeNull();
  });

  test('comes in the order of the writes, once each', async () => {
    const { adapter, peer } = await meetRaw(role);
    const order: number[] = [];
    for (let i = 0; i < 100; i++) adapter.write(Buffer.alloc(i * 700), () => order.push(i));
    await new Promise((resolve) => adapter.write('the end', resolve));
    expect(order).toEqual(Array.from({ length: 100 }, (_, i) => i));
    await peer.received(adapter.bytesWritten);
  });

  test('comes only when the memory may be reused, also while control frames fill the send queue', async () => {
    const { adapter, peer } = await meetRaw(role, { writableHighWaterMark: 1024 });
    peer.socket.pause();
    // As the pongs do that a peer asks for and does not take.
    while (adapter.ws.bufferedAmount < 2048) adapter.ws.ping(Buffer.alloc(125));
    const first = Buffer.from('first');
    const second = Buffer.from('second');
    const whole = new Promise((resolve) => {
      adapter.write(first, () => first.fill('!'));
      adapter.write(second, resolve);
    });
    await turns(5);
    peer.socket.resume();
    await whole;
    await peer.received(11);
    expect(peer.bytes.toString()).toBe('firstsecond');
  });
});

test('a write before connect gets its callback when the handshake fails', async () => {
  const adapter = connect('ws://127.0.0.1:1/');
  stopAfterTest(adapter);
  const recording = record(adapter);
  const first = new Promise((resolve) => adapter.write('hello', resolve));
  const second = new Promise((resolve) => adapter.write('again', resolve));
  await recording.closed;
  expect(await first).toBe(recording.errors[0]);
  expect(await second).toBe(recording.errors[0]);
});
