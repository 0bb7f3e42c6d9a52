import { encodeHeader, FrameType, HEADER_SIZE } from './frame.ts';

/**
 * Bytes of the largest run: what a control frame may have to wait behind, and as much as the
 * adapter puts into one message, so that a full run leaves as it is.
 */
export const RUN_BYTES = 65_536;

const SMALLEST_SLAB = 512;

/** Runs of the usual size that one slab has room for. */
const RUNS_PER_SLAB = 16;

/**
 * Puts frames together in one piece of memory, header and body side by side. The copy costs less
 * than a chunk for each part would further down, and whoever wrote the bytes may reuse their memory
 * at once.
 */
export class FrameWriter {
  #slab = Buffer.alloc(0);
  #from = 0;
  #to = 0;
  /** Where the header of the data frame is that is being written. */
  #dataAt = 0;
  /** Bytes of the run before this one, so that a quiet session holds a small slab. */
  #usual = 0;
  /** Bytes that the run may have. */
  #most = RUN_BYTES;

  /** Bytes of the run so far. */
  get length(): number {
    return this.#to - this.#from;
  }

  /** Bytes that the run may still take. */
  get room(): number {
    return this.#most - this.length;
  }

  /** Lets the run grow by so many bytes at most, and keeps `reserved` free for what follows them. */
  limitTo(bytes: number, reserved: number): void {
    this.#most = Math.min(RUN_BYTES - reserved, this.length + bytes);
  }

  header(type: number, flags: number, streamId: number, length: number): void {
    this.#ensure(HEADER_SIZE);
    encodeHeader(this.#slab, this.#to, type, flags, streamId, length);
    this.#to += HEADER_SIZE;
  }

  /** Leaves room for the header of a data frame, whose body follows. */
  beginData(): void {
    this.#ensure(HEADER_SIZE);
    this.#dataAt = this.length;
    this.#to += HEADER_SIZE;
  }

  /** Adds to the body, by a copy. */
  body(chunk: Buffer): void {
    this.#ensure(chunk.length);
    chunk.copy(this.#slab, this.#to);
    this.#to += chunk.length;
  }

  /** Writes the header before the body. */
  endData(streamId: number): void {
    const at = this.#from + this.#dataAt;
    encodeHeader(this.#slab, at, FrameType.data, 0, streamId, this.#to - at - HEADER_SIZE);
  }

  /**
   * Begins the next run where the first one was: nobody reads the runs any more that were taken
   * out.
   */
  rewind(): void {
    if (this.length === 0) this.#from = this.#to = 0;
  }

  /** Takes out the run. */
  take(): Buffer {
    const run = this.#slab.subarray(this.#from, this.#to);
    this.#usual = run.length;
    this.#from = this.#to;
    this.#most = RUN_BYTES;
    return run;
  }

  #ensure(bytes: number): void {
    if (this.#slab.length - this.#to >= bytes) return;
    const run = this.#slab.subarray(this.#from, this.#to);
    const size = Math.max(SMALLEST_SLAB, RUNS_PER_SLAB * this.#usual, 2 * (run.length + bytes));
    this.#slab = Buffer.allocUnsafe(Math.max(Math.min(RUN_BYTES, size), run.length + bytes));
    this.#from = 0;
    this.#to = run.copy(this.#slab);
  }
}
