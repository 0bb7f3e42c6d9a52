export interface BackOffOptions {
  /** Longest pause before the second try, in ms. */
  readonly first: number;
  /** Longest pause of all, in ms. */
  readonly most: number;
}

const DEFAULTS: BackOffOptions = { first: 500, most: 15_000 };

/**
 * Gives the pauses between tries: each may be twice as long as the last, and is cut at random, so
 * that all who lost one server do not come back in step.
 */
export class BackOff {
  readonly #options: BackOffOptions;
  #longest: number;

  constructor(options: BackOffOptions = DEFAULTS) {
    this.#options = options;
    this.#longest = options.first;
  }

  /** Gives the next pause in ms: between half of the longest and the longest. */
  next(): number {
    const longest = this.#longest;
    this.#longest = Math.min(longest * 2, this.#options.most);
    return longest * (0.5 + Math.random() / 2);
  }

  /** Begins anew: a try has worked. */
  reset(): void {
    this.#longest = this.#options.first;
  }
}
