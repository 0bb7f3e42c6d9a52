import { describe, expect, test } from 'vitest';

import { bytesOf, sha256 } from '../../support/bytes.ts';
import { record } from '../../support/events.ts';
import { readAll } from '../../support/reading.ts';
import { connected, type Subject } from '../subject.ts';

const SIZE = 3_000_000;

/** Ends in order: nothing is lost, and 'close' is the last event of both. */
export function ending(subject: Subject): void {
  const { features } = subject;

  describe('ending', () => {
    test("end() gives the peer everything and then 'end', and both close without an error", async () => {
      const { a, b } = await connected(subject);
      const [atA, atB] = [record(a), record(b)];
      const bytes = bytesOf(1, SIZE);
      a.resume();
      a.write(bytes);
      a.end();
      expect(sha256(await readAll(b))).toBe(sha256(bytes));
      await Promise.all([atA.closed, atB.closed]);
      for (const { names, hadError } of [atA, atB]) {
        expect([...names].sort()).toEqual(['close', 'end', 'finish']);
        expect(names.at(-1)).toBe('close');
        expect(hadError).toBe(false);
      }
    });

    test('end() with nothing written ends both', async () => {
      const { a, b } = await connected(subject);
      const [atA, atB] = [record(a), record(b)];
      b.resume();
      a.resume();
      a.end();
      await Promise.all([atA.closed, atB.closed]);
      expect([atA.hadError, atB.hadError]).toEqual([false, false]);
      expect([a.readyState, b.readyState]).toEqual(['closed', 'closed']);
    });

    test('a user who only writes sees the end of the peer too, and is closed', async () => {
      const { a, b } = await connected(subject);
      const atA = record(a);
      b.resume();
      a.write('for the log');
      b.end();
      await atA.closed;
      expect([...atA.names].sort()).toEqual(['close', 'end', 'finish']);
      expect(atA.hadError).toBe(false);
    });

    test('end() of both at once ends both in order, with what both had written', async () => {
      const { a, b } = await connected(subject);
      const [atA, atB] = [record(a), record(b)];
      const fromA = bytesOf(2, 1_000);
      const fromB = bytesOf(3, 1_000);
      a.end(fromA);
      b.end(fromB);
      const [receivedA, receivedB] = await Promise.all([readAll(a), readAll(b)]);
      expect([sha256(receivedA), sha256(receivedB)]).toEqual([sha256(fromB), sha256(fromA)]);
      await Promise.all([atA.closed, atB.closed]);
      expect([atA.hadError, atB.hadError]).toEqual([false, false]);
    });

    test('end() leaves what the peer had sent before to be read', async () => {
      const { a, b } = await connected(subject);
      const bytes = bytesOf(4, 200_000);
      await new Promise((resolve) => b.write(bytes, resolve));
      a.end();
      b.resume();
      expect(sha256(await readAll(a))).toBe(sha256(bytes));
    });

    test('a reader that comes late gets everything, long after end()', async () => {
      const { a, b } = await connected(subject, { allowHalfOpen: true });
      const recording = record(a);
      const bytes = bytesOf(5, 12_000_000);
      b.pause();
      a.resume();
      a.end(bytes);
      b.setTimeout(150);
      await new Promise((resolve) => b.once('timeout', resolve));
      expect(recording.names).not.toContain('close');
      expect(sha256(await readAll(b))).toBe(sha256(bytes));
      b.end();
      await recording.closed;
      expect(recording.hadError).toBe(false);
    });

    test('the callback of end() comes once, with the one of the last write before it', async () => {
      const { a, b } = await connected(subject);
      const order: string[] = [];
      b.resume();
      a.write('x', () => order.push('write'));
      await new Promise<void>((resolve) => {
        a.end('y', () => {
          order.push('end');
          resolve();
        });
      });
      expect(order).toEqual(['write', 'end']);
    });

    test('end() may be called again', async () => {
      const { a, b } = await connected(subject);
      const recording = record(a);
      a.resume();
      b.resume();
      a.end();
      a.end();
      await new Promise<void>((resolve) => a.end(resolve));
      await recording.closed;
      expect(recording.hadError).toBe(false);
    });

    test('a write after end() is ERR_STREAM_WRITE_AFTER_END, to its callback and to the stream', async () => {
      const { a, b } = await connected(subject);
      const recording = record(a);
      record(b); // It may see a reset.
      a.end();
      const error = await new Promise<unknown>((resolve) => a.write('late', resolve));
      expect(error).toMatchObject({ code: 'ERR_STREAM_WRITE_AFTER_END' });
      await recording.closed;
      expect(recording.errors).toEqual([error]);
      expect(recording.hadError).toBe(true);
    });

    test('destroySoon() sends what was written, ends, and closes', async () => {
      const { a, b } = await connected(subject);
      const [atA, atB] = [record(a), record(b)];
      const bytes = bytesOf(6, SIZE);
      a.write(bytes);
      a.destroySoon();
      expect(sha256(await readAll(b))).toBe(sha256(bytes));
      await Promise.all([atA.closed, atB.closed]);
      expect([atA.hadError, atB.hadError]).toEqual([false, false]);
      expect(a.destroyed).toBe(true);
    });

    test('destroySoon() after end() has finished destroys at once', async () => {
      const { a, b } = await connected(subject, { allowHalfOpen: true });
      const recording = record(a);
      b.resume();
      await new Promise<void>((resolve) => a.end(resolve));
      a.destroySoon();
      expect(a.destroyed).toBe(true);
      b.end();
      await recording.closed;
      expect(recording.hadError).toBe(false);
    });

    test("without half close, end() ends both directions: the peer's answer after it is lost with EPIPE", async ({
      skip,
    }) => {
      skip(features.halfClose, 'half close leaves the other direction open, see there');
      const { a, b } = await connected(subject, { allowHalfOpen: true });
      const recording = record(b);
      a.resume();
      a.end('last');
      expect((await readAll(b)).toString()).toBe('last');
      const error = await new Promise<unknown>((resolve) => b.write('answer', resolve));
      expect(error).toMatchObject({ code: 'EPIPE' });
      await recording.closed;
      expect(recording.errors).toEqual([error]);
      expect(recording.hadError).toBe(true);
      expect(a.bytesRead).toBe(0);
    });
  });
}
