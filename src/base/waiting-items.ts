/** Who waits for an item: called with it, with null at the end, or with the error that ended it. */
interface Taker<T> {
  readonly resolve: (item: T | null) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Holds items that wait for somebody to take them, and those who wait for an item; one of both is
 * empty at any time. What waits may still be taken after the end.
 */
export class WaitingItems<T extends object> {
  readonly #items = new Set<T>();
  readonly #takers: Taker<T>[] = [];
  #end: { readonly error: Error | null } | null = null;

  /** How many wait to be taken, less those who wait for one. */
  get surplus(): number {
    return this.#items.size - this.#takers.length;
  }

  /**
   * Passes an item to whoever waits longest, or keeps it for the next who asks; returns whether
   * somebody waited.
   */
  add(item: T): boolean {
    const taker = this.#takers.shift();
    if (taker) taker.resolve(item);
    else this.#items.add(item);
    return taker !== undefined;
  }

  /** Takes out the oldest item; undefined if there is none. */
  takeNow(): T | undefined {
    const [item] = this.#items;
    if (item) this.#items.delete(item);
    return item;
  }

  /**
   * Takes out the oldest item, or waits for one. Resolves with null after the end, or rejects with
   * the error that was the end.
   */
  take(): Promise<T | null> {
    const item = this.takeNow();
    if (item) return Promise.resolve(item);
    return new Promise((resolve, reject) => {
      this.#takers.push({ resolve, reject });
      if (this.#end) this.#dismiss(this.#end.error);
    });
  }

  /** Removes an item that is not to be taken any more. */
  remove(item: T): void {
    this.#items.delete(item);
  }

  /** Removes everything that waits, and returns it. */
  clear(): T[] {
    const items = [...this.#items];
    this.#items.clear();
    return items;
  }

  /** Ends the waiting of everybody, now and later. The first call counts. */
  end(error: Error | null): void {
    if (this.#end) return;
    this.#end = { error };
    this.#dismiss(error);
  }

  #dismiss(error: Error | null): void {
    for (const { resolve, reject } of this.#takers.splice(0)) {
      if (error) reject(error);
      else resolve(null);
    }
  }
}
