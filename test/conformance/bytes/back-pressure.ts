import { createHash } from 'node:crypto';

import { describe, expect, test } from 'vitest';

import { bytesOf } from '../../support/bytes.ts';
import { next, turns } from '../../support/events.ts';
import { readAll } from '../../support/reading.ts';
import { connected, type End, type Subject } from '../subject.ts';

const CHUNK = 65_536;
/** Turns of the event loop without a 'drain' after which a writer counts as stuck. */
const PATIENCE = 300;

/** Whether 'drain' comes while the event loop turns. */
async function drains(end: End): Promise<boolean> {
  const drain = next(end, 'drain').then(() => true);
  const patience = turns(PATIENCE).then(() => false);
  return Promise.race([drain, patience]);
}

/**
 * Writes as long as back pressure allows, but at most `most` bytes; returns how many it got rid of,
 * and their hash.
 */
async function pushUntilStuck(end: End, most: number): Promise<{ pushed: number; hash: string }> {
  const hash = createHash('sha256');
  let pushed = 0;
  while (pushed < most) {
    const chunk = bytesOf(pushed, CHUNK);
    hash.update(chunk);
    pushed += CHUNK;
    if (!end.write(chunk) && !(await drains(end))) break;
  }
  return { pushed, hash: hash.digest('hex') };
}

/** A slow reader holds the writer back, and loses nothing by it. */
export function backPressure(subject: Subject): void {
  const { mostBuffered } = subject.features;

  describe('back pressure', () => {
    test("write() gives false at the high-water mark, and 'drain' comes when all is sent", async () => {
      const { a, b } = await connected(subject);
      b.resume();
      expect(a.writableNeedDrain).toBe(false);
      // Beyond what a kernel takes at once.
      expect(a.write(Buffer.alloc(mostBuffered))).toBe(false);
      expect(a.writableNeedDrain).toBe(true);
      await next(a, 'drain');
      expect([a.writableLength, a.writableNeedDrain]).toEqual([0, false]);
      expect(a.write('x')).toBe(true);
    });

    test('a reader that does not read holds the writer, and gets everything when it does', async () => {
      const { a, b } = await connected(subject);
      b.pause();
      const { pushed, hash } = await pushUntilStuck(a, mostBuffered);
      expect(pushed).toBeLessThan(mostBuffered);
      expect(a.writableLength).toBeLessThanOrEqual(a.writableHighWaterMark + CHUNK);
      expect(b.readableLength).toBeLessThanOrEqual(b.readableHighWaterMark + CHUNK);
      const atB = createHash('sha256');
      b.on('data', (chunk: Buffer) => atB.update(chunk));
      b.resume();
      a.end();
      await next(b, 'end');
      expect(b.bytesRead).toBe(pushed);
      expect(atB.digest('hex')).toBe(hash);
    });

    test('a direction that is held back does not hold back the other', async () => {
      const { a, b } = await connected(subject);
      b.pause();
      await pushUntilStuck(a, mostBuffered);
      let bytes = 0;
      const arrived = new Promise<void>((resolve) => {
        a.on('data', (chunk: Buffer) => {
          bytes += chunk.length;
          if (bytes === 40 * CHUNK) resolve();
        });
      });
      for (let i = 0; i < 40; i++) b.write(bytesOf(i, CHUNK));
      await arrived;
      expect(b.bytesRead).toBeLessThan(a.bytesWritten);
    });

    test('pipe() between connections carries back pressure through', async () => {
      const first = await connected(subject);
      const second = await connected(subject);
      first.b.pipe(second.a);
      second.b.pause();
      const { pushed, hash } = await pushUntilStuck(first.a, 2 * mostBuffered);
      expect(pushed).toBeLessThan(2 * mostBuffered);
      first.a.end();
      const received = await readAll(second.b);
      expect(received.length).toBe(pushed);
      expect(createHash('sha256').update(received).digest('hex')).toBe(hash);
    });

    test('writes beyond the mark are kept, in order, for a writer that does not wait', async () => {
      const { a, b } = await connected(subject);
      const hash = createHash('sha256');
      for (let i = 0; i < 300; i++) {
        const chunk = bytesOf(i, CHUNK);
        hash.update(chunk);
        a.write(chunk);
      }
      a.end();
      const received = await readAll(b);
      expect(createHash('sha256').update(received).digest('hex')).toBe(hash.digest('hex'));
    });
  });
}
