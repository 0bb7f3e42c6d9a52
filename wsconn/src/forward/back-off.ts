/** Longest pause in ms before the second try to connect. */
const FIRST_PAUSE = 500;
/** Longest pause in ms between any two tries. */
const LONGEST_PAUSE = 15_000;

/**
 * Returns the pauses between tries to connect. Each may be twice as long as the last, and is
 * shortened at random, so that the clients of one server do not all come back at once.
 */
export class BackOff {
  #longest = FIRST_PAUSE;

  /** Returns the next pause in ms: between half of the longest and the longest. */
  next(): number {
    const longest = this.#longest;
    this.#longest = Math.min(longest * 2, LONGEST_PAUSE);
    return longest * (0.5 + Math.random() / 2);
  }

  /** Starts again with the first pause, after a try that succeeded. */
  reset(): void {
    this.#longest = FIRST_PAUSE;
  }
}
