import { describe, expect, test } from 'vitest';

import { turns } from '../support/events.ts';
import { meetRaw, ROLES } from '../support/pairs/meet.ts';
import { BINARY } from '../support/peers/frames.ts';
import type { RawPeer } from '../support/peers/raw-peer.ts';

const MOST = 65_536;

function messages(peer: RawPeer): Buffer[] {
  return peer.frames.filter(({ opcode }) => opcode === BINARY).map(({ payload }) => payload);
}

describe.each(ROLES)('the messages of a %s', (role) => {
  test('a thousand writes of 64 bytes in a turn leave as three at most', async () => {
    const { adapter, peer } = await meetRaw(role);
    const pieces = Array.from({ length: 1_000 }, (_, i) => Buffer.alloc(64, i));
    for (const piece of pieces) adapter.write(piece);
    await peer.received(64_000);
    expect(messages(peer).length).toBeLessThanOrEqual(3);
    expect(peer.bytes.equals(Buffer.concat(pieces))).toBe(true);
  });

  test('a thousand writes in microtasks leave as three at most', async () => {
    const { adapter, peer } = await meetRaw(role);
    for (let i = 0; i < 1_000; i++) {
      adapter.write(Buffer.alloc(64, i));
      await Promise.resolve();
    }
    await peer.received(64_000);
    expect(messages(peer).length).toBeLessThanOrEqual(3);
  });

  test('a thousand corked writes leave as three at most', async () => {
    const { adapter, peer } = await meetRaw(role);
    adapter.cork();
    for (let i = 0; i < 1_000; i++) adapter.write(Buffer.alloc(64, i));
    await turns(3);
    adapter.uncork();
    await peer.received(64_000);
    expect(messages(peer).length).toBeLessThanOrEqual(3);
  });

  test('a header and a body leave as one', async () => {
    const { adapter, peer } = await meetRaw(role);
    adapter.write(Buffer.alloc(12, 'h'));
    adapter.write(Buffer.alloc(1_000, 'b'));
    await peer.received(1_012);
    expect(messages(peer)).toHaveLength(1);
  });

  test('headers and bodies of one turn leave in messages as large as they may be', async () => {
    const { adapter, peer } = await meetRaw(role);
    for (let i = 0; i < 500; i++) {
      adapter.write(Buffer.alloc(12, i));
      adapter.write(Buffer.alloc(1_000, i));
    }
    await peer.received(506_000);
    expect(messages(peer).length).toBeLessThanOrEqual(Math.ceil(506_000 / MOST) + 1);
  });

  test.each([1, 7, 1_000, MOST, 100_000])(
    'are never larger than maxMessageSize %i',
    async (maxMessageSize) => {
      const { adapter, peer } = await meetRaw(role, { maxMessageSize });
      const bytes = Buffer.alloc(Math.min(300_000, maxMessageSize * 50), 'abc');
      adapter.write(bytes.subarray(0, 10));
      adapter.write(bytes.subarray(10));
      await peer.received(bytes.length);
      expect(peer.bytes.equals(bytes)).toBe(true);
      expect(Math.max(...messages(peer).map(({ length }) => length))).toBeLessThanOrEqual(
        maxMessageSize,
      );
    },
  );

  test('are whole, final and masked only by a client', async () => {
    const { adapter, peer } = await meetRaw(role);
    adapter.write('bytes');
    const sent = await peer.frame();
    expect({ ...sent, payload: String(sent.payload) }).toEqual({
      fin: true,
      opcode: BINARY,
      masked: role === 'client',
      payload: 'bytes',
    });
  });
});
