import { describe, expect, test } from 'vitest';

import { Inbox } from '../../src/yamux/inbox.ts';
import { bytesOf, cutAtRandom } from '../support/bytes.ts';

function drain(inbox: Inbox): Buffer[] {
  const blocks: Buffer[] = [];
  for (let block = inbox.take(); block; block = inbox.take()) blocks.push(block);
  return blocks;
}

describe('the inbox of a stream', () => {
  test('gives back what it was given, in order', () => {
    const inbox = new Inbox();
    const bytes = bytesOf(1, 300_000);
    for (const piece of cutAtRandom(bytes, 2, 5_000)) inbox.add(piece);
    expect(inbox.length).toBe(bytes.length);
    expect(Buffer.concat(drain(inbox)).equals(bytes)).toBe(true);
    expect(inbox.length).toBe(0);
  });

  test('puts single bytes together, in memory of about their size', () => {
    const inbox = new Inbox();
    const chunk = Buffer.alloc(65_536);
    for (let i = 0; i < 100_000; i++) inbox.add(chunk.subarray(i % 60_000, (i % 60_000) + 1));
    const blocks = drain(inbox);
    const held = blocks.reduce((sum, { buffer }) => sum + buffer.byteLength, 0);
    expect(blocks.length).toBeLessThan(20);
    expect(held).toBeLessThan(150_000);
  });

  test('gives bytes that are asked for one by one in memory of about their size', () => {
    const inbox = new Inbox();
    const chunk = Buffer.alloc(65_536);
    const memory = new Set<ArrayBufferLike>();
    for (let i = 0; i < 10_000; i++) {
      inbox.add(chunk.subarray(i, i + 1));
      const block = inbox.take();
      if (block) memory.add(block.buffer);
    }
    const held = [...memory].reduce((sum, { byteLength }) => sum + byteLength, 0);
    expect(held).toBeLessThan(200_000);
  });

  test('keeps a piece that is most of its memory as it is', () => {
    const inbox = new Inbox();
    const chunk = Buffer.alloc(65_536);
    inbox.add(chunk.subarray(12));
    expect(inbox.take()?.buffer).toBe(chunk.buffer);
  });
});
