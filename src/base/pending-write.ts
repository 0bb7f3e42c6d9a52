/** What Writable wants to be called when it may hand over the next write. */
export type WriteCallback = (error?: Error | null) => void;

/**
 * Keeps the write that Writable has handed over until Writable is told how it went, which is once,
 * however it ends.
 */
export class PendingWrite {
  #length = 0;
  #callback: WriteCallback | null = null;
  #bytesDone = 0;

  /** Bytes of the writes that Writable was told of: it no longer counts them. */
  get bytesDone(): number {
    return this.#bytesDone;
  }

  /** Takes over a write of `length` bytes; the one before it must be settled. */
  take(length: number, callback: WriteCallback): void {
    this.#length = length;
    this.#callback = callback;
  }

  /** Tells Writable how its write went, unless it was told before. */
  settle(error: Error | null): void {
    const callback = this.#callback;
    this.#callback = null;
    if (!callback) return;
    this.#bytesDone += this.#length;
    callback(error);
  }
}
