import { Places } from '../token/places.ts';

/** Failures of one address that are remembered at most. */
const MOST_FAILURES = 10;
/** Time in ms after which one failure is forgotten. */
const FORGET_AFTER = 30_000;
/** Addresses whose failures are remembered; the one that failed least recently is forgotten. */
const MOST_ADDRESSES = 10_000;
/** Time in ms that the second failure waits for its answer; each one after that waits twice as long. */
const FIRST_DELAY = 250;
/** The longest, below the 10 s that the library and most clients wait for an answer. */
const LONGEST_DELAY = 8_000;
/** Refusals that wait at once: of one address, and of all. */
const WAITING_OF_ONE = 8;
const WAITING_OF_ALL = 256;

/** What tells the time, and calls back. */
export interface Clock {
  /** Time in ms. */
  now(): number;
  /** Calls `run` after so many ms, unless what it returns is called before. */
  after(ms: number, run: () => void): () => void;
}

const CLOCK: Clock = {
  now: () => performance.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, ms);
    return () => {
      clearTimeout(timer);
    };
  },
};

/** What becomes of a refusal: it is answered, the client is put off, or nobody is there any more. */
export type Outcome = 'answer' | 'gone' | { readonly retryAfter: number };

interface Failures {
  /** How many, less those that are forgotten. */
  readonly count: number;
  /** When that was. */
  readonly at: number;
}

/**
 * Answers those who send wrong tokens ever more slowly, each address by itself. Who sends a right
 * one never comes here. What waits is bounded, and who finds no place is put off at once.
 */
export class SlowRefusals {
  readonly #clock: Clock;
  readonly #room: () => number;
  readonly #places: Places;
  /** By address, the one that failed least recently first. */
  readonly #failures = new Map<string, Failures>();
  /** What puts each off that waits, the oldest first. */
  readonly #waiting = new Set<() => void>();

  /** @param room - how many handshakes may wait, so that others find a place */
  constructor(room: () => number, clock: Clock = CLOCK) {
    this.#clock = clock;
    this.#room = room;
    this.#places = new Places({
      each: WAITING_OF_ONE,
      all: () => Math.min(WAITING_OF_ALL, room()),
    });
  }

  /** Refusals that wait. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Addresses whose failures are remembered. */
  get addresses(): number {
    return this.#failures.size;
  }

  /**
   * Counts a failure, and waits as long as those before it demand.
   * @param gone - aborts when the client has hung up
   */
  async wait(address: string, gone: AbortSignal): Promise<Outcome> {
    const delay = this.#count(address);
    if (gone.aborted) return 'gone';
    if (delay === 0) return 'answer';
    const putOff = { retryAfter: Math.ceil(delay / 1000) };
    if (!this.#places.take(address)) return putOff;
    return new Promise((resolve) => {
      const settle = (outcome: Outcome): void => {
        cancel();
        gone.removeEventListener('abort', leave);
        this.#waiting.delete(giveWay);
        this.#places.free(address);
        resolve(outcome);
      };
      const giveWay = (): void => {
        settle(putOff);
      };
      const leave = (): void => {
        settle('gone');
      };
      const cancel = this.#clock.after(delay, () => {
        settle('answer');
      });
      gone.addEventListener('abort', leave);
      this.#waiting.add(giveWay);
    });
  }

  /** Puts off those that have waited longest, until there is room again. */
  makeRoom(): void {
    const tooMany = this.#waiting.size - Math.max(0, this.#room());
    for (const giveWay of [...this.#waiting].slice(0, Math.max(0, tooMany))) giveWay();
  }

  /** Counts a failure; returns the delay in ms of its answer. */
  #count(address: string): number {
    const { count = 0, at = 0 } = this.#failures.get(address) ?? {};
    const now = this.#clock.now();
    const before = Math.max(0, count - (now - at) / FORGET_AFTER);
    this.#failures.delete(address);
    this.#failures.set(address, { count: Math.min(MOST_FAILURES, before + 1), at: now });
    if (this.#failures.size > MOST_ADDRESSES) {
      const [oldest = ''] = this.#failures.keys();
      this.#failures.delete(oldest);
    }
    const doublings = Math.ceil(before) - 1;
    return doublings < 0 ? 0 : Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** doublings);
  }
}
