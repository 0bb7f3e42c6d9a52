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

/** What tells the time, and calls back. */
export interface Clock {
  /** Time in ms. */
  now(): number;
  /** Calls `run` after so many ms, unless what it returns is called before. */
  after(ms: number, run: () => void): () => void;
}

/** That of the process. */
export const CLOCK: Clock = {
  now: () => performance.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, ms);
    return () => {
      clearTimeout(timer);
    };
  },
};

interface Failed {
  /** How many, less those that are forgotten. */
  readonly count: number;
  /** When that was. */
  readonly at: number;
}

/** Counts wrong tokens by the address that they come from, and says how long each answer waits. */
export interface Failures {
  /** Counts a failure; returns the delay in ms of its answer. */
  add(address: string): number | Promise<number>;
}

/** Counts them here, and forgets them with time. */
export class FailureCounts implements Failures {
  readonly #clock: Clock;
  /** By address, the one that failed least recently first. */
  readonly #failures = new Map<string, Failed>();

  constructor(clock: Clock = CLOCK) {
    this.#clock = clock;
  }

  /** Addresses whose failures are remembered. */
  get addresses(): number {
    return this.#failures.size;
  }

  add(address: string): number {
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
