import { describe, expect, test } from 'vitest';

import { record, turns } from '../../support/events.ts';
import { connected, type End, type Subject } from '../subject.ts';

/** More than any connection takes in while nobody reads. */
const MUCH = 20_000_000;

/**
 * What one end does to itself, or the other end to it, while bytes are unsent, unread, both or
 * neither.
 */
const ENDINGS: Readonly<Record<string, (end: End, other: End) => void>> = {
  'both end in order': (end, other) => {
    for (const one of [end, other]) one.resume().end();
  },
  'destroy() with nothing unsent': (end) => void end.destroy(),
  'destroy(error) with nothing unsent': (end) => void end.destroy(new Error('enough')),
  'destroy() over unsent bytes': (end) => {
    end.write(Buffer.alloc(MUCH));
    end.write('more');
    setImmediate(() => end.destroy());
  },
  'destroy() in the turn of a write': (end) => {
    end.write('bytes');
    end.destroy();
  },
  'destroy(error) over unsent bytes': (end) => {
    end.write(Buffer.alloc(MUCH));
    setImmediate(() => end.destroy(new Error('enough')));
  },
  'resetAndDestroy() over unsent bytes': (end) => {
    end.write(Buffer.alloc(MUCH));
    setImmediate(() => end.resetAndDestroy());
  },
  'resetAndDestroy() in the turn of end()': (end) => {
    end.end('bytes');
    setImmediate(() => end.resetAndDestroy());
  },
  'a reset by the other end': (end, other) => {
    end.resume();
    other.resetAndDestroy();
  },
  'a reset by the other end over unsent bytes': (end, other) => {
    end.resume().write(Buffer.alloc(MUCH));
    setImmediate(() => other.resetAndDestroy());
  },
  'destroySoon() over unread bytes': (end, other) => {
    end.write('bytes');
    end.destroySoon();
    other.resume().end();
  },
};

/**
 * However it ends: what it says of its error, in all the places where it says so, is the same, and
 * stays so.
 */
export function agreement(subject: Subject): void {
  const { features } = subject;

  describe("'error', hadError, errored and close()", () => {
    test.each(Object.keys(ENDINGS))('agree after %s', async (name) => {
      for (const who of ['a', 'b'] as const) {
        const pair = await connected(subject);
        const [end, other] = who === 'a' ? [pair.a, pair.b] : [pair.b, pair.a];
        const recording = record(end);
        record(other);
        ENDINGS[name]?.(end, other);
        await recording.closed;
        const error = recording.errors[0] ?? null;
        expect(recording.errors.length).toBeLessThanOrEqual(1);
        expect(recording.count('close')).toBe(1);
        expect(recording.names.at(-1)).toBe('close');
        expect(recording.hadError).toBe(error !== null);
        const settled = features.lostWritesSetErrored && error === null ? end.errored : error;
        expect(end.errored).toBe(settled);
        if (features.close) expect(await end.close?.()).toBe(error);
        await turns(10);
        expect(end.errored).toBe(settled);
        expect(recording.names.at(-1)).toBe('close');
      }
    });
  });
}
