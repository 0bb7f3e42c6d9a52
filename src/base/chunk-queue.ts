const SMALLEST_BLOCK = 1_024;
const LARGEST_BLOCK = 16_384;

/**
 * Copies the bytes into memory of their size: a reader who takes a few at a time would else keep a
 * whole block alive for each few. A small number comes from Node's pool, where they lie side by
 * side.
 */
function fitted(block: Buffer): Buffer {
  if (block.length < SMALLEST_BLOCK / 2) return Buffer.from(block);
  const copy = Buffer.allocUnsafeSlow(block.length);
  block.copy(copy);
  return copy;
}

/**
 * Holds the bytes of a stream that its reader has not asked for yet, in memory of about their size.
 * A piece is a view into what the transport read, and keeps all of that alive: small pieces are
 * copied together.
 */
export class ChunkQueue {
  #blocks: Buffer[] = [];
  #tail: Buffer | null = null;
  #filled = 0;
  #length = 0;

  /** Bytes held. */
  get length(): number {
    return this.#length;
  }

  add(piece: Buffer): void {
    this.#length += piece.length;
    // A few bytes are copied even where they are all of their memory: an object for each would cost
    // many times more.
    if (piece.length >= SMALLEST_BLOCK / 2 && piece.length * 2 >= piece.buffer.byteLength) {
      this.#seal();
      this.#blocks.push(piece);
      return;
    }
    for (let at = 0; at < piece.length;) {
      const tail = this.#tail ?? this.#newTail(piece.length - at);
      const copied = piece.copy(tail, this.#filled, at);
      at += copied;
      this.#filled += copied;
      if (this.#filled === tail.length) this.#seal();
    }
  }

  /** Takes out the bytes that have waited longest; undefined if there are none. */
  take(): Buffer | undefined {
    if (this.#blocks.length === 0) this.#seal();
    const block = this.#blocks.shift();
    if (block) this.#length -= block.length;
    return block;
  }

  clear(): void {
    this.#blocks = [];
    this.#tail = null;
    this.#filled = this.#length = 0;
  }

  #newTail(wanted: number): Buffer {
    const size = Math.min(LARGEST_BLOCK, Math.max(SMALLEST_BLOCK, this.#length, wanted));
    // Not from Node's pool, which a few bytes would keep alive whole.
    this.#tail = Buffer.allocUnsafeSlow(size);
    this.#filled = 0;
    return this.#tail;
  }

  #seal(): void {
    if (this.#tail && this.#filled > 0) {
      const block = this.#tail.subarray(0, this.#filled);
      this.#blocks.push(this.#filled * 2 < this.#tail.length ? fitted(block) : block);
    }
    this.#tail = null;
    this.#filled = 0;
  }
}
