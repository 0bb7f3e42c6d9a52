/** Who waits for an item: called with it, with null at the end, or with the error that ended it. */
interface Taker<T> {
  readonly resolve: (item: T | null) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Things that wait for somebody to take them, and those who wait for such things; one of both is
 * empty at any time.
 */
export class Unclaimed<T> {
  readonly #items: T[] = [];
  readonly #takers: Taker<T>[] = [];
  #ended = false;
  #error: Error | null = null;

  /** How many wait to be taken, less those who wait for one. */
  get surplus(): number {
    return this.#items.length - this.#takers.length;
  }

  /** Gives an item to whoever waits longest, or keeps it for the next who asks. */
  add(item: T): void {
    const taker = this.#takers.shift();
    if (taker) taker.resolve(item);
    else this.#items.push(item);
  }

  /**
   * Gives the oldest item, or waits for one. After the end it gives null, or rejects where the end
   * was an error.
   */
  take(): Promise<T | null> {
    const item = this.#items.shift();
    if (item !== undefined) return Promise.resolve(item);
    return new Promise((resolve, reject) => {
      this.#takers.push({ resolve, reject });
      if (this.#ended) this.#dismiss();
    });
  }

  /** Takes away everything that waits, and gives it. */
  clear(): T[] {
    return this.#items.splice(0);
  }

  /** Ends the waiting of everybody, now and later. */
  end(error: Error | null): void {
    this.#ended = true;
    this.#error = error;
    this.#dismiss();
  }

  #dismiss(): void {
    for (const { resolve, reject } of this.#takers.splice(0)) {
      if (this.#error) reject(this.#error);
      else resolve(null);
    }
  }
}
