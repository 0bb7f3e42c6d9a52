import { describe, expect, test, vi } from 'vitest';

import { next, record, turns } from '../../support/events.ts';
import { readExactly } from '../../support/reading.ts';
import { connected, type Subject } from '../subject.ts';

const LIMIT = 60;
/**
 * A limit long enough that a busy machine does not let it pass by itself, and the pause between two
 * bytes meanwhile.
 */
const LONG = 150;
const PACE = 3;
/**
 * A timer may be early by the time that a busy event loop took for its last turn. A limit that
 * bytes do not put off comes within one pace after the last of them.
 */
const LEAST = 5 * PACE;

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Returns the moments at which to move a byte, for twice as long as the limit. */
async function* paces(): AsyncGenerator<number, void, void> {
  const begun = performance.now();
  for (let i = 0; performance.now() - begun < 2 * LONG; i++) {
    yield i;
    await pause(PACE);
  }
}

/** setTimeout(): in the past, in the present and in the future. */
export function idleTimeout(subject: Subject): void {
  describe('idle timeout', () => {
    test('a limit shorter than the idle time that has passed counts from the call', async () => {
      const { a } = await connected(subject);
      await pause(LIMIT);
      const recording = record(a);
      a.setTimeout(1);
      expect(recording.count('timeout')).toBe(0);
      await next(a, 'timeout');
      expect(a.destroyed).toBe(false);
    });

    test('a limit comes while a read and a write wait', async () => {
      const { a, b } = await connected(subject);
      b.pause();
      const read = readExactly(a, 1);
      a.write(Buffer.alloc(subject.features.mostBuffered));
      a.setTimeout(LIMIT);
      await next(a, 'timeout');
      expect(a.writableLength).toBeGreaterThan(0);
      b.write('x');
      expect((await read).toString()).toBe('x');
    });

    test('a limit in the future comes when the connection goes idle, not while bytes move', async () => {
      const { a, b } = await connected(subject);
      b.pipe(b);
      let moved = performance.now();
      const gaps: number[] = [];
      a.on('timeout', () => gaps.push(performance.now() - moved));
      a.setTimeout(LONG);
      for await (const _pace of paces()) {
        a.write('x');
        await readExactly(a, 1);
        moved = performance.now();
      }
      if (gaps.length === 0) await next(a, 'timeout');
      expect(Math.min(...gaps)).toBeGreaterThan(LEAST);
    });

    test('bytes that only go out put it off, and so do bytes that only come in', async () => {
      const { a, b } = await connected(subject);
      const moved = { out: performance.now(), in: performance.now() };
      const gaps: number[] = [];
      a.on('timeout', () => gaps.push(performance.now() - moved.out));
      b.on('timeout', () => gaps.push(performance.now() - moved.in));
      b.on('data', () => (moved.in = performance.now()));
      a.setTimeout(LONG);
      b.setTimeout(LONG);
      for await (const _pace of paces()) {
        await new Promise((resolve) => a.write('x', resolve));
        moved.out = performance.now();
      }
      if (gaps.length === 0) await next(a, 'timeout');
      expect(Math.min(...gaps)).toBeGreaterThan(LEAST);
    });

    test('it comes once, and again only after bytes have moved', async () => {
      const { a, b } = await connected(subject);
      const recording = record(a);
      a.setTimeout(5);
      b.setTimeout(LIMIT);
      await next(b, 'timeout');
      expect(recording.count('timeout')).toBe(1);
      const again = next(a, 'timeout');
      a.write('x');
      await again;
      expect(recording.count('timeout')).toBe(2);
    });

    test('0 turns it off', async () => {
      const { a, b } = await connected(subject);
      const callback = vi.fn();
      const recording = record(a);
      a.setTimeout(5, callback);
      a.setTimeout(0);
      expect(a.timeout).toBe(0);
      b.setTimeout(LIMIT);
      await next(b, 'timeout');
      expect(recording.count('timeout')).toBe(0);
      a.setTimeout(0, callback);
      expect(a.listenerCount('timeout')).toBe(1);
    });

    test('a new limit takes the place of the old one', async () => {
      const { a, b } = await connected(subject);
      const recording = record(a);
      a.setTimeout(5);
      a.setTimeout(3_600_000);
      expect(a.timeout).toBe(3_600_000);
      b.setTimeout(LIMIT);
      await next(b, 'timeout');
      expect(recording.count('timeout')).toBe(0);
    });

    test('its callback is called once, however often the timeout comes', async () => {
      const { a, b } = await connected(subject);
      const callback = vi.fn();
      a.setTimeout(5, callback);
      await next(a, 'timeout');
      const again = next(a, 'timeout');
      a.resume();
      b.write('x');
      await again;
      expect(callback).toHaveBeenCalledTimes(1);
      expect(a.listenerCount('timeout')).toBe(0);
    });

    test('it does nothing but tell: the connection goes on', async () => {
      const { a, b } = await connected(subject);
      a.setTimeout(1);
      await next(a, 'timeout');
      a.write('still there');
      expect((await readExactly(b, 11)).toString()).toBe('still there');
      expect([a.destroyed, a.readable, a.writable]).toEqual([false, true, true]);
    });

    test('a callback that destroys ends the connection in order', async () => {
      const { a, b } = await connected(subject);
      const [atA, atB] = [record(a), record(b)];
      b.resume();
      a.setTimeout(1, () => a.destroy());
      await Promise.all([atA.closed, atB.closed]);
      expect([atA.hadError, atB.hadError]).toEqual([false, false]);
    });

    test('none comes after destroy(), not even from a call after it', async () => {
      const { a, b } = await connected(subject);
      const recording = record(a);
      a.setTimeout(1);
      a.destroy();
      a.setTimeout(1);
      b.setTimeout(LIMIT);
      await Promise.race([next(b, 'timeout'), next(b, 'close')]);
      await turns(5);
      expect(recording.count('timeout')).toBe(0);
    });

    test('what is no time is refused', async () => {
      const { a } = await connected(subject);
      const codeOf = (...args: unknown[]): unknown => {
        try {
          a.setTimeout(...(args as [number]));
          return undefined;
        } catch (error) {
          return (error as NodeJS.ErrnoException).code;
        }
      };
      expect([-1, NaN, Infinity].map((ms) => codeOf(ms))).toEqual(
        Array(3).fill('ERR_OUT_OF_RANGE'),
      );
      expect(['5', null, undefined].map((ms) => codeOf(ms))).toEqual(
        Array(3).fill('ERR_INVALID_ARG_TYPE'),
      );
      expect(codeOf(5, 'callback')).toBe('ERR_INVALID_ARG_TYPE');
      a.setTimeout(0);
    });

    test('a fraction of a millisecond is a time', async () => {
      const { a } = await connected(subject);
      a.setTimeout(2.5);
      await next(a, 'timeout');
      expect(a.timeout).toBe(2.5);
    });
  });
}
