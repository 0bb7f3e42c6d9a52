import { Duplex } from 'node:stream';

/**
 * Another stream, with a border of chunks behind byte number `at` of each direction: what follows
 * it in a chunk leaves, and arrives, in a turn of its own.
 */
export class CutStream extends Duplex {
  readonly #inner: Duplex;
  readonly #at: number;
  /** Bytes that come in the next turn; the end waits for them, which a pause does not hold up. */
  #behind: Buffer | undefined;
  #ended = false;
  #read = 0;
  #written = 0;

  constructor(inner: Duplex, at: number) {
    super({ allowHalfOpen: true });
    this.#inner = inner;
    this.#at = at;
    inner.on('data', (chunk: Buffer) => {
      this.#bring(chunk);
    });
    inner.once('end', () => {
      this.#ended = true;
      if (!this.#behind) this.push(null);
    });
    inner.once('error', (error) => this.destroy(error));
    inner.once('close', () => {
      if (!this.#ended) this.destroy();
    });
  }

  override _read(): void {
    // The other stream brings it.
  }

  override _write(
    chunk: Buffer,
    _encoding: BufferEncoding,
    callback: (error?: Error | null) => void,
  ): void {
    const [before, behind] = this.#cut(chunk, this.#written);
    this.#written += chunk.length;
    if (!behind) {
      this.#inner.write(before, callback);
      return;
    }
    this.#inner.write(before);
    setImmediate(() => this.#inner.write(behind, callback));
  }

  override _final(callback: () => void): void {
    this.#inner.end(callback);
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#inner.destroy();
    callback(error);
  }

  #bring(chunk: Buffer): void {
    const [before, behind] = this.#cut(chunk, this.#read);
    this.#read += chunk.length;
    this.push(before);
    if (!behind) return;
    this.#behind = behind;
    this.#inner.pause();
    setImmediate(() => {
      this.#behind = undefined;
      this.push(behind);
      if (this.#ended) this.push(null);
      this.#inner.resume();
    });
  }

  #cut(chunk: Buffer, passed: number): [Buffer, Buffer?] {
    const border = this.#at - passed;
    if (border <= 0 || border >= chunk.length) return [chunk];
    return [chunk.subarray(0, border), chunk.subarray(border)];
  }
}
