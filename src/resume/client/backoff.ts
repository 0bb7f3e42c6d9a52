/** Longest wait in ms before the second try. */
const FIRST = 500;
/** Longest wait in ms before any. */
const MOST = 5_000;

/**
 * Says how long to wait before each try: not at all before the first, then up to 0.5 s, doubling to
 * 5 s. Each wait is a random share of that ("full jitter"), so that clients which were cut off
 * together do not come back together.
 */
export class Backoff {
  #most = 0;

  /** Starts from the beginning: the last try was a success. */
  reset(): void {
    this.#most = 0;
  }

  /** Returns the wait in ms before the next try. */
  next(): number {
    const wait = Math.random() * this.#most;
    this.#most = this.#most === 0 ? FIRST : Math.min(MOST, 2 * this.#most);
    return wait;
  }
}
