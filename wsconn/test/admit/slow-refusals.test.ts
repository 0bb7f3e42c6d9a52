/** How wrong tokens are answered: by a clock that the tests set, not by the time that passes. */
import { describe, expect, test } from 'vitest';

import { type Clock, FailureCounts } from '../../src/admit/failure-counts.ts';
import { type Outcome, SlowRefusals } from '../../src/admit/slow-refusals.ts';

/** A clock that moves when it is told to. */
class HandClock implements Clock {
  #now = 0;
  readonly #due = new Map<() => void, number>();

  now(): number {
    return this.#now;
  }

  after(ms: number, run: () => void): () => void {
    this.#due.set(run, this.#now + ms);
    return () => this.#due.delete(run);
  }

  /** Timers that are set. */
  get timers(): number {
    return this.#due.size;
  }

  /** Lets time pass, and what follows from it happen. */
  async pass(ms: number): Promise<void> {
    this.#now += ms;
    for (const [run, at] of [...this.#due].sort(([, a], [, b]) => a - b)) {
      if (at <= this.#now && this.#due.delete(run)) run();
    }
    await settled();
  }
}

/** Resolves when all promises that are resolved have been handled. */
function settled(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

function start(room: () => number = () => Infinity) {
  const clock = new HandClock();
  const failures = new FailureCounts(clock);
  const refusals = new SlowRefusals(room, { clock, failures });
  const fail = (address: string, gone = new AbortController()) => {
    const one: { outcome: Outcome | undefined; hangUp: () => void } = {
      outcome: undefined,
      hangUp: () => {
        gone.abort();
      },
    };
    void refusals.wait(address, gone.signal).then((outcome) => (one.outcome = outcome));
    return one;
  };
  /** Fails, and returns the ms after which the answer comes. */
  const delayOf = async (address: string): Promise<number> => {
    const failure = fail(address);
    await settled();
    let ms = 0;
    for (; failure.outcome === undefined; ms += 50) await clock.pass(50);
    expect(failure.outcome).toBe('answer');
    return ms;
  };
  return { clock, failures, refusals, fail, delayOf };
}

test('the first failure is answered at once, the next ever more slowly, up to 8 s', async () => {
  const { delayOf } = start();
  const delays: number[] = [];
  for (let i = 0; i < 10; i++) delays.push(await delayOf('a'));
  expect(delays).toEqual([0, 250, 500, 1000, 2000, 4000, 8000, 8000, 8000, 8000]);
  expect(await delayOf('b')).toBe(0);
});

test('failures are forgotten with time', async () => {
  const { delayOf, clock } = start();
  for (let i = 0; i < 4; i++) await delayOf('a');
  await clock.pass(60_000);
  expect(await delayOf('a')).toBe(500);
  await clock.pass(300_000);
  expect(await delayOf('a')).toBe(0);
});

describe('what waits', () => {
  test('is eight of an address at most: more are put off, and others are not', async () => {
    const { fail, refusals, delayOf } = start();
    const all = Array.from({ length: 100 }, () => fail('a'));
    await settled();
    expect(all[0]?.outcome).toBe('answer');
    expect(all.filter(({ outcome }) => outcome === undefined)).toHaveLength(8);
    expect(refusals.waiting).toBe(8);
    expect(all.slice(9).map(({ outcome }) => outcome)).toEqual(Array(91).fill({ retryAfter: 8 }));
    fail('b');
    expect(await delayOf('b')).toBe(250);
  });

  test('is 256 in all at most', async () => {
    const { fail, refusals } = start();
    for (let i = 0; i < 1000; i++) {
      fail(String(i));
      fail(String(i));
    }
    await settled();
    expect(refusals.waiting).toBe(256);
  });

  test('gives its place back when it is answered, and when the client hangs up', async () => {
    const { fail, refusals, clock } = start();
    const all = Array.from({ length: 9 }, () => fail('a'));
    await settled();
    all[8]?.hangUp();
    await settled();
    expect(all[8]?.outcome).toBe('gone');
    expect(refusals.waiting).toBe(7);
    const next = fail('a');
    await settled();
    expect(next.outcome).toBeUndefined();
    await clock.pass(8000);
    expect(refusals.waiting).toBe(0);
    expect(clock.timers).toBe(0);
  });

  test('leaves room for others, the oldest first, when it becomes less', async () => {
    let room = 5;
    const { fail, refusals } = start(() => room);
    const all = Array.from({ length: 10 }, () => fail('a'));
    await settled();
    expect(refusals.waiting).toBe(5);
    room = 2;
    refusals.makeRoom();
    await settled();
    expect(refusals.waiting).toBe(2);
    expect(all.slice(1, 4).map(({ outcome }) => outcome)).toEqual([
      { retryAfter: 1 },
      { retryAfter: 1 },
      { retryAfter: 1 },
    ]);
    room = -7;
    refusals.makeRoom();
    expect(refusals.waiting).toBe(0);
    const late = fail('a');
    await settled();
    expect(late.outcome).toEqual({ retryAfter: 8 });
  });

  test('is nobody who has hung up already', async () => {
    const { fail, refusals } = start();
    fail('a');
    const gone = new AbortController();
    gone.abort();
    const failure = fail('a', gone);
    await settled();
    expect(failure.outcome).toBe('gone');
    expect(refusals.waiting).toBe(0);
  });
});

test('a flood from many addresses takes no more memory than ten thousand of them', async () => {
  const { fail, failures, delayOf } = start();
  fail('first');
  for (let i = 0; i < 50_000; i++) fail(String(i));
  await settled();
  expect(failures.addresses).toBe(10_000);
  expect(await delayOf('first')).toBe(0);
  expect(await delayOf('49999')).toBe(250);
});
