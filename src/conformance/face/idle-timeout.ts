import assert from 'node:assert/strict';

import { assertAbove, assertNoErrors } from '../frame/assertions.ts';
import { group } from '../frame/group.ts';
import type { Trial } from '../frame/trial.ts';

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

/** Returns the moments at which to move a byte, for twice as long as the limit. */
async function* paces(t: Trial): AsyncGenerator<number, void, void> {
  const begun = performance.now();
  for (let i = 0; performance.now() - begun < 2 * LONG; i++) {
    yield i;
    await t.pause(PACE);
  }
}

/** setTimeout(): in the past, in the present and in the future. */
export const idleTimeout = group('idle timeout', ['idleTimeout'], (it) => {
  it('a limit shorter than the idle time that has passed counts from the call', async (t) => {
    const { a } = await t.connected();
    await t.pause(LIMIT);
    const recording = t.record(a);
    a.setTimeout(1);
    assert.equal(recording.count('timeout'), 0);
    await t.next(a, 'timeout');
    assert.equal(a.destroyed, false);
  });

  it('a limit comes while a read and a write wait', async (t) => {
    const { a, b } = await t.connected();
    b.pause();
    const read = t.readExactly(a, 1);
    a.write(Buffer.alloc(t.mostBuffered));
    a.setTimeout(LIMIT);
    await t.next(a, 'timeout');
    assertAbove(a.writableLength, 0);
    b.write('x');
    assert.equal((await read).toString(), 'x');
  });

  it('a limit in the future comes when the connection goes idle, not while bytes move', async (t) => {
    const { a, b } = await t.connected();
    b.pipe(b);
    let moved = performance.now();
    const gaps: number[] = [];
    a.on('timeout', () => gaps.push(performance.now() - moved));
    a.setTimeout(LONG);
    for await (const _pace of paces(t)) {
      a.write('x');
      await t.readExactly(a, 1);
      moved = performance.now();
    }
    if (gaps.length === 0) await t.next(a, 'timeout');
    assertAbove(Math.min(...gaps), LEAST);
  });

  it('bytes that only go out put it off, and so do bytes that only come in', async (t) => {
    const { a, b } = await t.connected();
    const moved = { out: performance.now(), in: performance.now() };
    const gaps: number[] = [];
    a.on('timeout', () => gaps.push(performance.now() - moved.out));
    b.on('timeout', () => gaps.push(performance.now() - moved.in));
    b.on('data', () => (moved.in = performance.now()));
    a.setTimeout(LONG);
    b.setTimeout(LONG);
    for await (const _pace of paces(t)) {
      await t.written(a, 'x');
      moved.out = performance.now();
    }
    if (gaps.length === 0) await t.next(a, 'timeout');
    assertAbove(Math.min(...gaps), LEAST);
  });

  it('it comes once, and again only after bytes have moved', async (t) => {
    const { a, b } = await t.connected();
    const recording = t.record(a);
    a.setTimeout(5);
    b.setTimeout(LIMIT);
    await t.next(b, 'timeout');
    assert.equal(recording.count('timeout'), 1);
    const again = t.next(a, 'timeout');
    a.write('x');
    await again;
    assert.equal(recording.count('timeout'), 2);
  });

  it('0 turns it off', async (t) => {
    const { a, b } = await t.connected();
    const callback = (): void => undefined;
    const recording = t.record(a);
    a.setTimeout(5, callback);
    a.setTimeout(0);
    assert.equal(a.timeout, 0);
    b.setTimeout(LIMIT);
    await t.next(b, 'timeout');
    assert.equal(recording.count('timeout'), 0);
    a.setTimeout(0, callback);
    assert.equal(a.listenerCount('timeout'), 1);
  });

  it('a new limit takes the place of the old one', async (t) => {
    const { a, b } = await t.connected();
    const recording = t.record(a);
    a.setTimeout(5);
    a.setTimeout(3_600_000);
    assert.equal(a.timeout, 3_600_000);
    b.setTimeout(LIMIT);
    await t.next(b, 'timeout');
    assert.equal(recording.count('timeout'), 0);
  });

  it('its callback is called once, however often the timeout comes', async (t) => {
    const { a, b } = await t.connected();
    let calls = 0;
    const callback = (): void => {
      calls++;
    };
    a.setTimeout(5, callback);
    await t.next(a, 'timeout');
    const again = t.next(a, 'timeout');
    a.resume();
    b.write('x');
    await again;
    assert.equal(calls, 1);
    assert.equal(a.listenerCount('timeout'), 0);
  });

  it('it does nothing but tell: the connection goes on', async (t) => {
    const { a, b } = await t.connected();
    a.setTimeout(1);
    await t.next(a, 'timeout');
    a.write('still there');
    assert.equal((await t.readExactly(b, 11)).toString(), 'still there');
    assert.deepEqual([a.destroyed, a.readable, a.writable], [false, true, true]);
  });

  it('a callback that destroys ends the connection in order', async (t) => {
    const { a, b } = await t.connected();
    const [atA, atB] = [t.record(a), t.record(b)];
    b.resume();
    a.setTimeout(1, () => a.destroy());
    await Promise.all([atA.closed, atB.closed]);
    assertNoErrors(t, atA, atB);
  });

  it('none comes after destroy(), not even from a call after it', async (t) => {
    const { a, b } = await t.connected();
    const recording = t.record(a);
    a.setTimeout(1);
    a.destroy();
    a.setTimeout(1);
    b.setTimeout(LIMIT);
    await Promise.race([t.next(b, 'timeout'), t.next(b, 'close')]);
    await t.turns(5);
    assert.equal(recording.count('timeout'), 0);
  });

  it('what is no time is refused', async (t) => {
    const { a } = await t.connected();
    const codeOf = (...args: unknown[]): unknown => {
      try {
        a.setTimeout(...(args as [number]));
        return undefined;
      } catch (error) {
        return (error as NodeJS.ErrnoException).code;
      }
    };
    assert.deepEqual(
      [-1, NaN, Infinity].map((ms) => codeOf(ms)),
      Array(3).fill('ERR_OUT_OF_RANGE'),
    );
    assert.deepEqual(
      ['5', null, undefined].map((ms) => codeOf(ms)),
      Array(3).fill('ERR_INVALID_ARG_TYPE'),
    );
    assert.equal(codeOf(5, 'callback'), 'ERR_INVALID_ARG_TYPE');
    a.setTimeout(0);
  });

  it('a fraction of a millisecond is a time', async (t) => {
    const { a } = await t.connected();
    a.setTimeout(2.5);
    await t.next(a, 'timeout');
    assert.equal(a.timeout, 2.5);
  });
});
