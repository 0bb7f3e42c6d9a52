import { describe, expect, test } from 'vitest';

import { record, turns } from '../../support/events.ts';
import { expectOneClose } from '../ends/cutting.ts';
import { connected, type End, type Subject } from '../subject.ts';

const WRITES = 120;
const CHUNK = Buffer.alloc(262_144);

/** Ways to end, by what the reader would call them. */
const endings: Record<string, (end: End) => void> = {
  'destroy()': (end) => void end.destroy(),
  'destroy(error)': (end) => void end.destroy(new Error('enough')),
  'resetAndDestroy()': (end) => void end.resetAndDestroy(),
  'destroySoon()': (end) => {
    end.destroySoon();
  },
  'end()': (end) => void end.end(),
  'close()': (end) => void end.close?.(),
};

/** Writes far more than anything on the way can hold, and counts the callbacks of each write. */
function writeMuch(end: End): (Error | null | undefined)[][] {
  const results: (Error | null | undefined)[][] = [];
  for (let i = 0; i < WRITES; i++) {
    const result: (Error | null | undefined)[] = [];
    results.push(result);
    end.write(CHUNK, (error) => result.push(error));
  }
  return results;
}

function expectEachOnce(results: (Error | null | undefined)[][]): void {
  expect(results.map((result) => result.length)).toEqual(Array(WRITES).fill(1));
}

/** Every write's callback comes exactly once, however the connection ends and whoever ends it. */
export function pendingWrites(subject: Subject): void {
  const { features } = subject;
  const names = Object.keys(endings).filter((name) => features.close || name !== 'close()');

  describe('writes that wait when the connection ends', () => {
    test.each(names)(
      '%s by the writer, and nobody reads: each callback comes once',
      async (name) => {
        const { a, b } = await connected(subject);
        const [atA, atB] = [record(a), record(b)];
        a.resume();
        b.pause();
        const results = writeMuch(a);
        await turns(5);
        endings[name]?.(a);
        // Those that send what was written wait for the reader.
        if (['destroySoon()', 'end()', 'close()'].includes(name)) {
          await turns(5);
          expect(results.flat().length).toBeLessThan(WRITES);
          b.resume();
          await atA.closed;
          expectEachOnce(results);
          expect(results.flat().filter(Boolean)).toEqual([]);
          await atB.closed;
          expect(b.bytesRead).toBe(WRITES * CHUNK.length);
        } else {
          await atA.closed;
          await turns(2);
          expectEachOnce(results);
          expect(results.at(-1)?.[0]).toBeInstanceOf(Error);
          b.resume();
          await atB.closed;
        }
        expectOneClose(atA);
        expectOneClose(atB);
      },
    );

    const byReader = names.filter((name) => name !== 'end()');
    test.each(byReader)(
      '%s by the reader: each callback comes once, none hides a loss',
      async (name) => {
        const { a, b } = await connected(subject);
        const [atA, atB] = [record(a), record(b)];
        a.resume();
        b.once('data', () => {
          b.pause();
          endings[name]?.(b);
        });
        const results = writeMuch(a);
        await Promise.all([atA.closed, atB.closed]);
        await turns(2);
        expectEachOnce(results);
        // Where each direction ends by itself, close() may take the other to its end and throw it
        // away.
        if (name !== 'close()' || atA.hadError) {
          expect(results.at(-1)?.[0]).toBeInstanceOf(Error);
          expect(['ECONNRESET', 'EPIPE']).toContain(atA.errors[0]?.code);
        } else {
          expect(results.flat().filter(Boolean)).toEqual([]);
        }
        expectOneClose(atA);
        expectOneClose(atB);
      },
    );

    test('a small write in the turn of destroy() has its callback', async () => {
      for (const name of ['destroy()', 'destroy(error)', 'resetAndDestroy()']) {
        const { a, b } = await connected(subject);
        const atA = record(a);
        b.on('error', () => undefined).resume();
        const came: string[] = [];
        a.write('one', () => came.push('one'));
        a.write('two', () => came.push('two'));
        endings[name]?.(a);
        await atA.closed;
        await turns(2);
        expect(came).toEqual(['one', 'two']);
      }
    });

    test('the callback of end() comes, with an error, when the connection is cut before', async () => {
      const { a, b } = await connected(subject);
      const atA = record(a);
      b.on('error', () => undefined).pause();
      a.write(Buffer.alloc(40_000_000));
      const ended = new Promise<unknown>((resolve) => {
        a.end(resolve as () => void);
      });
      await turns(5);
      a.destroy();
      expect(await ended).toBeInstanceOf(Error);
      await atA.closed;
      expect(atA.names).toEqual(['close']);
    });

    test('bytesWritten stays what it was, and no error is seen, when destroy() drops what waited', async () => {
      const { a, b } = await connected(subject);
      const atA = record(a);
      b.on('error', () => undefined).pause();
      const size = 40_000_000;
      a.write(Buffer.alloc(size));
      const whenClosed = new Promise<unknown>((resolve) => {
        a.once('close', () => {
          resolve(a.errored);
        });
      });
      a.destroy();
      const errored = await whenClosed;
      // From Node 22 on, net.Socket has the write's ECANCELED there.
      if (features.close) expect(errored).toBeNull();
      await turns(2);
      expect(a.bytesWritten).toBe(size);
      expect(atA.names).toEqual(['close']);
      if (a.close) expect(await a.close()).toBeNull();
    });
  });
}
