import type { Duplex } from 'node:stream';

import { encodeHeader, HEADER_SIZE } from './frame.ts';

/** Chunks below this size are copied together: beyond it, a copy costs more than a write of its own. */
const COPY_BELOW = 16_384;
const SMALLEST_SLAB = 512;
const LARGEST_SLAB = 65_536;

/** Puts frames together and hands them to the transport as one corked run of few chunks. */
export class FrameWriter {
  readonly #transport: Duplex;
  #slab = Buffer.alloc(0);
  #from = 0;
  #to = 0;
  /** The last chunk of the run so far: whichever turns out to be the last one gets the callback. */
  #held: Buffer | null = null;
  #length = 0;
  /** Bytes that this run and the one before needed of the slab, so that a quiet session holds a small one. */
  #needed = 0;
  #usual = 0;

  constructor(transport: Duplex) {
    this.#transport = transport;
  }

  /** Bytes of the run so far. */
  get length(): number {
    return this.#length;
  }

  header(type: number, flags: number, streamId: number, length: number): void {
    if (this.#slab.length - this.#to < HEADER_SIZE) this.#newSlab();
    encodeHeader(this.#slab, this.#to, type, flags, streamId, length);
    this.#advance(HEADER_SIZE);
  }

  /** Adds bytes: a small chunk may be reused when this returns, a large one when the run is done. */
  body(chunk: Buffer): void {
    if (chunk.length >= COPY_BELOW) {
      this.#cutSlab();
      this.#put(chunk);
      this.#length += chunk.length;
      return;
    }
    for (let at = 0; at < chunk.length;) {
      if (this.#to === this.#slab.length) this.#newSlab();
      const copied = chunk.copy(this.#slab, this.#to, at);
      at += copied;
      this.#advance(copied);
    }
  }

  /** Hands on the run; `done` comes when the transport has got rid of it, not at all when it fails. */
  end(done: () => void): void {
    this.#cutSlab();
    const last = this.#held;
    this.#held = null;
    this.#usual = this.#needed;
    this.#length = this.#needed = 0;
    if (!last) return;
    this.#transport.write(last, (error) => {
      // The transport tells of its error itself, and then nobody waits for this run.
      if (!error) done();
    });
    this.#transport.uncork();
  }

  #advance(bytes: number): void {
    this.#to += bytes;
    this.#length += bytes;
    this.#needed += bytes;
  }

  #put(chunk: Buffer): void {
    if (this.#held) this.#transport.write(this.#held);
    else this.#transport.cork();
    this.#held = chunk;
  }

  #cutSlab(): void {
    if (this.#to > this.#from) this.#put(this.#slab.subarray(this.#from, this.#to));
    this.#from = this.#to;
  }

  #newSlab(): void {
    this.#cutSlab();
    const size = Math.max(SMALLEST_SLAB, this.#usual, 2 * this.#needed);
    this.#slab = Buffer.allocUnsafe(Math.min(LARGEST_SLAB, size));
    this.#from = this.#to = 0;
  }
}
