import { describe, expect, test } from 'vitest';

import { bytesOf, cutAtRandom, sha256 } from '../../support/bytes.ts';
import { record } from '../../support/events.ts';
import { readAll, readExactly } from '../../support/reading.ts';
import { connected, type End, type Subject } from '../subject.ts';

const SIZE = 8 * 1024 * 1024;

/** Writes the pieces as fast as back pressure lets it, and ends. */
async function writeAll(end: End, pieces: Iterable<Buffer>): Promise<void> {
  for (const piece of pieces) {
    if (!end.write(piece)) await new Promise((resolve) => end.once('drain', resolve));
  }
  end.end();
}

/** Bytes come out as they went in, whatever their pieces. */
export function basicIo(subject: Subject): void {
  const { features } = subject;

  describe('basic I/O', () => {
    test('bytes cut at random arrive whole and in order', async () => {
      const { a, b } = await connected(subject);
      const bytes = bytesOf(1, SIZE);
      const [received] = await Promise.all([
        readAll(b),
        writeAll(a, cutAtRandom(bytes, 2, 40_000)),
      ]);
      expect(received.length).toBe(SIZE);
      expect(sha256(received)).toBe(sha256(bytes));
    });

    test('bytes cut at random arrive whole both ways at once', async ({ skip }) => {
      skip(
        !features.halfClose,
        'the first end() closes both directions where there is no half close',
      );
      const { a, b } = await connected(subject, { allowHalfOpen: true });
      const there = bytesOf(3, SIZE);
      const back = bytesOf(4, SIZE);
      const [atB, atA] = await Promise.all([
        readAll(b),
        readAll(a),
        writeAll(a, cutAtRandom(there, 5, 30_000)),
        writeAll(b, cutAtRandom(back, 6, 3_000)),
      ]);
      expect(sha256(atB)).toBe(sha256(there));
      expect(sha256(atA)).toBe(sha256(back));
    });

    test('an echo gives every byte back while more are written', async () => {
      const { a, b } = await connected(subject);
      const bytes = bytesOf(7, SIZE);
      b.pipe(b);
      const echoed = readExactly(a, SIZE);
      for (const piece of cutAtRandom(bytes, 8, 60_000)) {
        if (!a.write(piece)) await new Promise((resolve) => a.once('drain', resolve));
      }
      expect(sha256(await echoed)).toBe(sha256(bytes));
    });

    test('one write much larger than every buffer arrives whole', async () => {
      const { a, b } = await connected(subject);
      const bytes = bytesOf(9, 2 * SIZE);
      a.end(bytes);
      expect(sha256(await readAll(b))).toBe(sha256(bytes));
    });

    test('single bytes arrive in order', async () => {
      const { a, b } = await connected(subject);
      const bytes = bytesOf(10, 5_000);
      for (const byte of bytes) a.write(Buffer.of(byte));
      a.end();
      expect(sha256(await readAll(b))).toBe(sha256(bytes));
    });

    test('bytesWritten and bytesRead count the payload', async () => {
      const { a, b } = await connected(subject);
      const recording = record(b);
      a.write(bytesOf(11, 100_000));
      a.write('a few more');
      expect(a.bytesWritten).toBe(100_010);
      await readExactly(b, 100_010);
      expect(b.bytesRead).toBe(100_010);
      b.write('back');
      await readExactly(a, 4);
      expect([a.bytesRead, b.bytesWritten]).toEqual([4, 4]);
      a.end();
      b.resume();
      await recording.closed;
      expect([a.bytesRead, a.bytesWritten, b.bytesRead, b.bytesWritten]).toEqual([
        4, 100_010, 100_010, 4,
      ]);
    });

    test('the memory of a write may be reused when its callback has come', async () => {
      const { a, b } = await connected(subject);
      const shared = Buffer.alloc(10_000);
      const received = readExactly(b, 50 * shared.length);
      for (let i = 0; i < 50; i++) {
        shared.fill(i);
        await new Promise((resolve) => a.write(shared, resolve));
      }
      const bytes = await received;
      const expected = Buffer.concat(
        Array.from({ length: 50 }, (_, i) => Buffer.alloc(shared.length, i)),
      );
      expect(sha256(bytes)).toBe(sha256(expected));
    });
  });
}
