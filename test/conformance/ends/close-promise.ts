import { describe, expect, test } from 'vitest';

import { bytesOf, sha256 } from '../../support/bytes.ts';
import { record, turns } from '../../support/events.ts';
import { readAll } from '../../support/reading.ts';
import { schedules } from '../../support/schedules.ts';
import { connected, type End, type Subject } from '../subject.ts';

function close(end: End): Promise<Error | null> {
  if (!end.close) throw new TypeError('this end has no close()');
  return end.close();
}

/** close(): ends in order, for anyone, any number of times. */
export function closePromise(subject: Subject): void {
  const { features } = subject;

  describe.skipIf(!features.close)('close()', () => {
    test("sends what was written, and resolves with null after 'close'", async () => {
      const { a, b } = await connected(subject);
      const [atA, atB] = [record(a), record(b)];
      const bytes = bytesOf(1, 3_000_000);
      a.write(bytes);
      const closing = close(a).then((error) => ({ error, seen: [...atA.names] }));
      expect(sha256(await readAll(b))).toBe(sha256(bytes));
      const { error, seen } = await closing;
      expect(error).toBeNull();
      expect(seen.at(-1)).toBe('close');
      await atB.closed;
      expect([atA.hadError, atB.hadError]).toEqual([false, false]);
    });

    test.each(Object.entries(schedules))(
      'gives fifty callers %s the same promise',
      async (_when, later) => {
        const { a, b } = await connected(subject);
        b.resume();
        const promises = await Promise.all(
          Array.from(
            { length: 50 },
            () =>
              new Promise<Promise<Error | null>[]>((resolve) => {
                later(() => {
                  resolve([close(a)]);
                });
              }),
          ),
        );
        expect(new Set(promises.flat()).size).toBe(1);
        expect(await close(a)).toBeNull();
      },
    );

    test('of both ends at once resolves with null at both', async () => {
      const { a, b } = await connected(subject);
      const [atA, atB] = [record(a), record(b)];
      expect(await Promise.all([close(a), close(b)])).toEqual([null, null]);
      expect([atA.count('close'), atB.count('close')]).toEqual([1, 1]);
    });

    test('throws away what arrives meanwhile', async () => {
      const { a, b } = await connected(subject);
      b.on('error', () => undefined);
      const recording = record(a);
      let late = 0;
      a.on('data', () => late++);
      b.resume();
      for (let i = 0; i < 50; i++) b.write(Buffer.alloc(20_000));
      const closing = close(a);
      await closing;
      expect(late).toBe(0);
      expect(recording.count('close')).toBe(1);
    });

    test('gives the error that had ended the connection before', async () => {
      const { a, b } = await connected(subject);
      b.on('error', () => undefined).resume();
      const recording = record(a);
      const error = new Error('the first');
      a.destroy(error);
      a.destroy(new Error('the second'));
      expect(await close(a)).toBe(error);
      expect(recording.names.at(-1)).toBe('close');
      expect(await close(a)).toBe(error);
    });

    test('after a reset by the peer gives ECONNRESET', async () => {
      const { a, b } = await connected(subject);
      const recording = record(a);
      a.resume();
      b.resetAndDestroy();
      await recording.closed;
      expect(await close(a)).toMatchObject({ code: 'ECONNRESET' });
    });

    test('needs nobody to listen for errors', async () => {
      const { a, b } = await connected(subject);
      b.on('error', () => undefined).resume();
      const closing = close(a);
      a.destroy(new Error('in between'));
      expect(await closing).toMatchObject({ message: 'in between' });
      await turns(3);
    });

    test('after an orderly end gives null', async () => {
      const { a, b } = await connected(subject);
      const recording = record(a);
      a.resume();
      b.resume();
      a.end('x');
      await recording.closed;
      expect(await close(a)).toBeNull();
    });

    test('while end() is under way joins it', async () => {
      const { a, b } = await connected(subject);
      a.resume();
      a.write('x');
      a.end();
      const closing = close(a);
      expect((await readAll(b)).toString()).toBe('x');
      expect(await closing).toBeNull();
    });
  });

  test('await using closes, after what was written is sent', async ({ skip }) => {
    skip(!features.asyncDispose, 'net.Socket is destroyed with an AbortError there');
    const { a, b } = await connected(subject);
    const recording = record(a);
    const received = readAll(b);
    {
      await using socket = a;
      socket.write('x');
    }
    expect(recording.names.at(-1)).toBe('close');
    expect(recording.hadError).toBe(false);
    expect((await received).toString()).toBe('x');
  });
}
