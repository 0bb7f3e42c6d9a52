import { describe, expect, test } from 'vitest';

import { ChunkQueue } from '../../src/base/chunk-queue.ts';
import { bytesOf, cutAtRandom } from '../../src/conformance/frame/bytes.ts';

function drain(queue: ChunkQueue): Buffer[] {
  const blocks: Buffer[] = [];
  for (let block = queue.take(); block; block = queue.take()) blocks.push(block);
  return blocks;
}

describe('a queue of chunks', () => {
  test('gives back what it was given, in order', () => {
    const queue = new ChunkQueue();
    const bytes = bytesOf(1, 300_000);
    for (const piece of cutAtRandom(bytes, 2, 5_000)) queue.add(piece);
    expect(queue.length).toBe(bytes.length);
    expect(Buffer.concat(drain(queue)).equals(bytes)).toBe(true);
    expect(queue.length).toBe(0);
  });

  test('puts single bytes together, in memory of about their size', () => {
    const queue = new ChunkQueue();
    const chunk = Buffer.alloc(65_536);
    for (let i = 0; i < 100_000; i++) queue.add(chunk.subarray(i % 60_000, (i % 60_000) + 1));
    const blocks = drain(queue);
    const held = blocks.reduce((sum, { buffer }) => sum + buffer.byteLength, 0);
    expect(blocks.length).toBeLessThan(20);
    expect(held).toBeLessThan(150_000);
  });

  test('gives bytes that are asked for one by one in memory of about their size', () => {
    const queue = new ChunkQueue();
    const chunk = Buffer.alloc(65_536);
    const memory = new Set<ArrayBufferLike>();
    for (let i = 0; i < 10_000; i++) {
      queue.add(chunk.subarray(i, i + 1));
      const block = queue.take();
      if (block) memory.add(block.buffer);
    }
    const held = [...memory].reduce((sum, { byteLength }) => sum + byteLength, 0);
    expect(held).toBeLessThan(200_000);
  });

  test('keeps a piece that is most of its memory as it is', () => {
    const queue = new ChunkQueue();
    const chunk = Buffer.alloc(65_536);
    queue.add(chunk.subarray(12));
    expect(queue.take()?.buffer).toBe(chunk.buffer);
  });
});
