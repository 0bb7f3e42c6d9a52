import type { Readable } from 'node:stream';

/** What the buffer in front of a Readable asks of it. */
export type ServedStream = Pick<
  Readable,
  'listenerCount' | 'push' | 'read' | 'readableFlowing' | 'readableHighWaterMark' | 'readableLength'
>;

/**
 * Decides when a Readable is to have more of what waits for its reader. What it has not got costs no
 * more memory than its bytes.
 */
export class ReadDemand {
  readonly #stream: ServedStream;
  #wanted = 0;

  constructor(stream: ServedStream) {
    this.#stream = stream;
  }

  /** Bytes that the reader has asked for at once, and that Readable must have together. */
  get wanted(): number {
    return this.#wanted;
  }

  /**
   * Whether Readable is to have more: it hands on at once, has nothing, has not as much as its
   * reader wants together, or is looked at by a listener of 'readable', who may go by
   * `readableLength`.
   */
  get takesMore(): boolean {
    const { readableFlowing, readableHighWaterMark, readableLength } = this.#stream;
    if (readableLength === 0 || readableLength < this.#wanted || readableFlowing === true) {
      return true;
    }
    return readableLength < readableHighWaterMark && this.#stream.listenerCount('readable') > 0;
  }

  /**
   * The reader calls `read(size)`; returns whether it asks for bytes. Readable
   * itself looks with read(0), and asks for nothing.
   */
  onRead(size: number | undefined): boolean {
    if (size === 0) return false;
    this.#wanted = size ?? 0;
    return true;
  }

  /** That `read(size)` has brought bytes, or nothing until there are as many. */
  onReadDone(size: number | undefined, got: boolean): void {
    if (size !== 0 && got) this.#wanted = 0;
  }
}
