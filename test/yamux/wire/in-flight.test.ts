import { describe, expect, onTestFinished, test, vi } from 'vitest';

import { InFlight } from '../../../src/yamux/wire/in-flight.ts';

const SECOND = 1_000;
const FIRST_LIMIT = 65_536;

/** A way of so many bytes a second that takes so many ms, each way together, beside its queue. */
interface Way {
  readonly rate: number;
  readonly delay: number;
}

/** Sends all that may be on its way, for so long, and keeps a clock. */
class Sender {
  readonly inFlight = new InFlight(() => undefined, 0);
  readonly #pings: { readonly id: number; readonly at: number }[] = [];
  #now = 0;
  #freeAt = 0;
  /** Bytes that have come out of the way. */
  carried = 0;

  constructor() {
    onTestFinished(() => {
      this.inFlight.stop();
    });
  }

  /** Sends for so many ms; returns the longest time that a byte waited, in the last third. */
  send(ms: number, { rate, delay }: Way): number {
    const end = this.#now + ms;
    let longest = 0;
    while (this.#now < end) {
      this.#answer();
      const room = Math.min(this.inFlight.room, 16_384);
      const bytes = room < 4_096 ? 0 : room;
      if (bytes > 0 || this.inFlight.isMarkDue(0)) {
        this.#freeAt = Math.max(this.#freeAt, this.#now) + (bytes / rate) * SECOND;
        const at = this.#freeAt + delay;
        if (this.inFlight.isMarkDue(bytes))
          this.#pings.push({ id: this.inFlight.mark(bytes, this.#now), at });
        this.inFlight.onWritten(bytes);
        this.carried += bytes;
        if (this.#now > end - ms / 3) longest = Math.max(longest, at - this.#now);
      } else {
        this.#now = Math.max(this.#now + 0.1, Math.min(end, this.#pings[0]?.at ?? end));
      }
    }
    return longest;
  }

  #answer(): void {
    while ((this.#pings[0]?.at ?? Infinity) <= this.#now) {
      const ping = this.#pings.shift();
      if (ping) this.inFlight.onAnswer(ping.id, this.#now);
    }
  }
}

describe('what is on its way', () => {
  test.each([
    ['a slow link', { rate: 130_000, delay: 20 }],
    ['a slow and long one', { rate: 130_000, delay: 300 }],
    ['a fast and long one', { rate: 12_500_000, delay: 100 }],
  ])('fills %s, and waits little', (_name, way) => {
    const sender = new Sender();
    sender.send(10 * SECOND, way);
    const before = sender.carried;
    const longest = sender.send(30 * SECOND, way);
    expect(sender.carried - before).toBeGreaterThan(0.95 * 30 * way.rate);
    expect(longest).toBeLessThan(2 * way.delay + 280);
  });

  test('is not held back on a fast link', () => {
    const sender = new Sender();
    sender.send(SECOND, { rate: 1e9, delay: 0.2 });
    expect(sender.carried).toBeGreaterThan(0.98 * 1e9);
  });

  test('waits little again after the link has become slower', () => {
    const sender = new Sender();
    sender.send(5 * SECOND, { rate: 12_500_000, delay: 20 });
    sender.send(60 * SECOND, { rate: 130_000, delay: 20 });
    expect(sender.send(10 * SECOND, { rate: 130_000, delay: 20 })).toBeLessThan(320);
  });

  test('fills the link again after that has become longer', () => {
    const sender = new Sender();
    sender.send(20 * SECOND, { rate: 1_300_000, delay: 10 });
    const way = { rate: 1_300_000, delay: 400 };
    sender.send(20 * SECOND, way);
    const before = sender.carried;
    sender.send(20 * SECOND, way);
    expect(sender.carried - before).toBeGreaterThan(0.93 * 20 * way.rate);
  });

  test('is not limited by a pause of the peer while little is sent', () => {
    const { inFlight } = new Sender();
    inFlight.onWritten(1_000);
    inFlight.onAnswer(inFlight.mark(0, 0), 1);
    inFlight.onAnswer(inFlight.mark(1_000, 10), 5_000);
    const { room } = inFlight;
    inFlight.onWritten(FIRST_LIMIT - 2 * room);
    expect(inFlight.room).toBe(room);
  });
});

describe('a peer that answers no pings', () => {
  test('gets all of it after 10 s', () => {
    vi.useFakeTimers();
    onTestFinished(() => {
      vi.useRealTimers();
    });
    const onLifted = vi.fn();
    const inFlight = new InFlight(onLifted, 0);
    inFlight.mark(FIRST_LIMIT, 0);
    inFlight.onWritten(FIRST_LIMIT);
    expect(inFlight.room).toBe(0);
    vi.advanceTimersByTime(10 * SECOND);
    expect(onLifted).toHaveBeenCalledOnce();
    expect(inFlight.room).toBe(Infinity);
  });

  test('gets twice as much each 10 s where it answers no more', () => {
    vi.useFakeTimers();
    onTestFinished(() => {
      vi.useRealTimers();
    });
    const onLifted = vi.fn();
    const inFlight = new InFlight(onLifted, 0);
    inFlight.onAnswer(inFlight.mark(0, 0), 1);
    expect(vi.getTimerCount()).toBe(0);
    const { room } = inFlight;
    for (let sent = 0; inFlight.room > 0; sent += room) {
      inFlight.mark(room, 2);
      inFlight.onWritten(room);
      expect(sent).toBeLessThan(4 * FIRST_LIMIT);
    }
    vi.advanceTimersByTime(20 * SECOND);
    expect(onLifted).toHaveBeenCalledTimes(2);
    expect(inFlight.room).toBeGreaterThan(0);
    inFlight.stop();
    expect(vi.getTimerCount()).toBe(0);
  });
});
