/**
 * Holds what a stream has been given to send and has not sent: one write, or several that were
 * handed over together.
 */
export class UnsentBytes {
  #chunks: Buffer[] = [];
  /** Where the next byte is: in which chunk, and at which byte of it. */
  #index = 0;
  #offset = 0;
  #length = 0;

  /** Bytes left. */
  get length(): number {
    return this.#length;
  }

  add(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
  }

  /** Passes the next `length` bytes to `pass`, in views; there must be as many. */
  take(length: number, pass: (chunk: Buffer) => void): void {
    this.#length -= length;
    for (let left = length; left > 0;) {
      const chunk = this.#chunks[this.#index];
      if (chunk === undefined) throw new RangeError('more bytes were asked for than were written');
      const from = this.#offset;
      const to = Math.min(chunk.length, from + left);
      left -= to - from;
      this.#offset = to;
      if (to === chunk.length) {
        this.#index++;
        this.#offset = 0;
      }
      pass(from === 0 && to === chunk.length ? chunk : chunk.subarray(from, to));
    }
    if (this.#length === 0) this.clear();
  }

  clear(): void {
    this.#chunks = [];
    this.#index = this.#offset = this.#length = 0;
  }
}
