/** One write as Writable hands it over; the bytes are all that counts. */
export interface Write {
  readonly chunk: Buffer;
}

const NONE: readonly Write[] = [];

/** The bytes of writes that were handed over together, to be cut into pieces of other sizes. */
export class WriteRun {
  #writes = NONE;
  /** Where the next byte is: in which write, and at which byte of it. */
  #index = 0;
  #offset = 0;

  /** Starts over with these writes. */
  start(writes: readonly Write[]): void {
    this.#writes = writes;
    this.#index = this.#offset = 0;
  }

  /** Releases the memory of the writes. */
  clear(): void {
    this.start(NONE);
  }

  /** Takes the next `length` bytes: a view where one chunk has them all, else a copy. */
  cut(length: number): Buffer {
    const first = this.next(length);
    if (first.length === length) return first;
    const joined = Buffer.allocUnsafe(length);
    joined.set(first);
    for (let filled = first.length; filled < length;) {
      const piece = this.next(length - filled);
      // Not copy(): for chunks of a few bytes its checks cost more than the bytes.
      joined.set(piece, filled);
      filled += piece.length;
    }
    return joined;
  }

  /** Takes the next bytes, at most `most`, as far as one chunk reaches: a view. */
  next(most: number): Buffer {
    const write = this.#writes[this.#index];
    if (write === undefined) throw new RangeError('more bytes were asked for than were written');
    const { chunk } = write;
    const from = this.#offset;
    if (chunk.length - from > most) {
      this.#offset = from + most;
      return chunk.subarray(from, this.#offset);
    }
    this.#index++;
    this.#offset = 0;
    return from === 0 ? chunk : chunk.subarray(from);
  }
}
