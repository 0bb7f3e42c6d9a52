import assert from 'node:assert/strict';

import {
  assertBelow,
  assertBytesRead,
  assertBytesWritten,
  assertCode,
  assertOneClose,
} from '../frame/assertions.ts';
import type { Need } from '../frame/features.ts';
import { group } from '../frame/group.ts';
import type { End } from '../frame/subject.ts';

const WRITES = 120;
const CHUNK = Buffer.alloc(262_144);

/** Ways to end, by their names, and what they need. */
const endings: readonly (readonly [
  name: string,
  needs: readonly Need[],
  end: (end: End) => unknown,
])[] = [
  ['destroy()', [], (end) => end.destroy()],
  ['destroy(error)', [], (end) => end.destroy(new Error('enough'))],
  ['resetAndDestroy()', ['reset'], (end) => end.resetAndDestroy()],
  [
    'destroySoon()',
    ['destroySoon'],
    (end) => {
      end.destroySoon();
    },
  ],
  ['end()', [], (end) => end.end()],
  ['close()', ['close'], (end) => end.close?.()],
];

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
  assert.deepEqual(
    results.map((result) => result.length),
    Array(WRITES).fill(1),
  );
}

/** Every write's callback comes exactly once, however the connection ends and whoever ends it. */
export const pendingWrites = group('writes that wait when the connection ends', [], (it) => {
  for (const [name, needs, finish] of endings) {
    it(['the writer ends while nobody reads: each callback comes once', name], needs, async (t) => {
      const { a, b } = await t.connected();
      const [atA, atB] = [t.record(a), t.record(b)];
      a.resume();
      b.pause();
      const results = writeMuch(a);
      await t.turns(5);
      finish(a);
      // Those that send what was written wait for the reader.
      if (['destroySoon()', 'end()', 'close()'].includes(name)) {
        await t.turns(5);
        assertBelow(results.flat().length, WRITES);
        b.resume();
        await atA.closed;
        expectEachOnce(results);
        assert.deepEqual(results.flat().filter(Boolean), []);
        await atB.closed;
        assertBytesRead(t, b, WRITES * CHUNK.length);
      } else {
        await atA.closed;
        await t.turns(2);
        expectEachOnce(results);
        assert.ok(results.at(-1)?.[0] instanceof Error);
        b.resume();
        await atB.closed;
      }
      assertOneClose(t, atA);
      assertOneClose(t, atB);
    });
  }

  for (const [name, needs, finish] of endings) {
    if (name === 'end()') continue;
    it(['the reader ends: each callback comes once, none hides a loss', name], needs, async (t) => {
      const { a, b } = await t.connected();
      const [atA, atB] = [t.record(a), t.record(b)];
      a.resume();
      b.once('data', () => {
        b.pause();
        finish(b);
      });
      const results = writeMuch(a);
      await Promise.all([atA.closed, atB.closed]);
      await t.turns(2);
      expectEachOnce(results);
      // Where each direction ends by itself, close() may take the other to its end and throw it
      // away.
      if (name !== 'close()' || atA.errors.length > 0) {
        assert.ok(results.at(-1)?.[0] instanceof Error);
        assertCode(atA.errors[0], 'ECONNRESET', 'EPIPE');
      } else {
        assert.deepEqual(results.flat().filter(Boolean), []);
      }
      assertOneClose(t, atA);
      assertOneClose(t, atB);
    });
  }

  for (const [name, needs, finish] of endings.slice(0, 3)) {
    it(['a small write in the turn of destroy() has its callback', name], needs, async (t) => {
      const { a, b } = await t.connected();
      const atA = t.record(a);
      b.on('error', () => undefined).resume();
      const came: string[] = [];
      a.write('one', () => came.push('one'));
      a.write('two', () => came.push('two'));
      finish(a);
      await atA.closed;
      await t.turns(2);
      assert.deepEqual(came, ['one', 'two']);
    });
  }

  it('the callback of end() comes, with an error, when the connection is cut before', async (t) => {
    const { a, b } = await t.connected();
    const atA = t.record(a);
    b.on('error', () => undefined).pause();
    a.write(Buffer.alloc(40_000_000));
    const ended = t.ended(a);
    await t.turns(5);
    a.destroy();
    assert.ok((await ended) instanceof Error);
    await atA.closed;
    assert.deepEqual(atA.names, ['close']);
  });

  it('bytesWritten stays what it was, and no error is seen, when destroy() drops what waited', async (t) => {
    const { a, b } = await t.connected();
    const atA = t.record(a);
    b.on('error', () => undefined).pause();
    const size = 40_000_000;
    a.write(Buffer.alloc(size));
    const whenClosed = t.until<Error | null>("'close' of a", (resolve) => {
      a.once('close', () => {
        resolve(a.errored);
      });
    });
    a.destroy();
    const errored = await whenClosed;
    if (t.claims('errored')) assert.equal(errored, null);
    await t.turns(2);
    assertBytesWritten(t, a, size);
    assert.deepEqual(atA.names, ['close']);
    if (a.close) assert.equal(await a.close(), null);
  });
});
