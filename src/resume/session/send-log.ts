import { MAX_DATA_HEADER, type Progress, writeDataHeader } from '../wire/message.ts';

const SMALLEST_BLOCK = 128;

/**
 * Bytes of memory that are kept to be written over, while something is kept at all. Fresh memory for
 * each message of 64 KiB would cost the sender twice as much beside the copy itself: bulk reached
 * 0.75 of what it does without a log, and 0.85 to 0.9 with this.
 */
const MOST_SPARE = 1_048_576;

/** Bytes to be taken in pieces: the next ones, at most so many. */
export interface ByteRun {
  next(most: number): Buffer;
}

/** Bytes that lie side by side and leave as one message, with room for its header before them. */
interface Block {
  /** Number of its first byte. */
  readonly start: number;
  readonly memory: Buffer;
  filled: number;
  /** Whether it was handed to a WebSocket, which may still read it. */
  handedOut: boolean;
  /** Whether that WebSocket was given up since. */
  abandoned: boolean;
}

/**
 * Keeps what was written until the peer has received it: a copy, cut into messages as they are
 * sent, so that a WebSocket which takes over can send it again.
 */
export class SendLog {
  /** Bytes of data that the largest message has. */
  readonly #mostData: number;
  #blocks: Block[] = [];
  /** Memory of messages that have arrived, each for the largest one. */
  #spare: Buffer[] = [];
  #acked = 0;
  #end = 0;

  /** @param maxMessageSize - bytes of data in the largest message; its header comes to that */
  constructor(maxMessageSize: number) {
    this.#mostData = maxMessageSize;
  }

  /** Bytes of data in a message that has room for no more. */
  get mostData(): number {
    return this.#mostData;
  }

  /** Number of the first byte that the peer has not received, as far as it has said. */
  get acked(): number {
    return this.#acked;
  }

  /** Number behind the last byte. */
  get end(): number {
    return this.#end;
  }

  /** Bytes that are kept. */
  get length(): number {
    return this.#end - this.#acked;
  }

  /** Takes the next `length` bytes of a run. */
  append(run: ByteRun, length: number): void {
    let left = length;
    while (left > 0) {
      const block = this.#tail(left);
      const room = Math.min(left, block.memory.length - MAX_DATA_HEADER - block.filled);
      let at = MAX_DATA_HEADER + block.filled;
      for (const end = at + room; at < end;) {
        const piece = run.next(end - at);
        // Not copy(): for chunks of a few bytes its checks cost more than the bytes.
        block.memory.set(piece, at);
        at += piece.length;
      }
      block.filled += room;
      this.#end += room;
      left -= room;
    }
  }

  /** The peer has received all before that number: it is kept no longer. */
  acknowledge(received: number): void {
    this.#acked = Math.min(Math.max(this.#acked, received), this.#end);
    let done = 0;
    for (const block of this.#blocks) {
      if (block.start + block.filled > this.#acked) break;
      done++;
      this.#reuse(block);
    }
    if (done > 0) this.#blocks.splice(0, done);
    if (this.#blocks.length === 0) this.#spare = [];
  }

  /** Another WebSocket takes over: the one before may not be done with what it was handed. */
  changeCarrier(): void {
    for (const block of this.#blocks) block.abandoned ||= block.handedOut;
  }

  /** Drops everything: nobody will send it. */
  clear(): void {
    this.#blocks = [];
    this.#spare = [];
    this.#acked = this.#end;
  }

  /**
   * Makes a message of the bytes from that number on, as many as lie in one block; null if there
   * are none. The numbers before it must have been received.
   */
  messageFrom(position: number, progress: Progress | null): MessageOfLog | null {
    const block = this.#blockAt(position);
    if (!block) return null;
    const skip = position - block.start;
    const from = MAX_DATA_HEADER + skip;
    const to = MAX_DATA_HEADER + block.filled;
    // A WebSocket that went before may not be done with the memory, and the header is written there.
    const memory = block.handedOut ? Buffer.from(block.memory.subarray(skip, to)) : block.memory;
    const shift = block.handedOut ? skip : 0;
    block.handedOut = true;
    const begin = writeDataHeader(memory, from - shift, progress);
    return { message: memory.subarray(begin, to - shift), next: block.start + block.filled };
  }

  /** Keeps the memory of what the peer has, if it had it from the WebSocket that may still read it. */
  #reuse({ memory, abandoned }: Block): void {
    if (abandoned || memory.length < this.#mostData + MAX_DATA_HEADER) return;
    if ((this.#spare.length + 1) * memory.length <= MOST_SPARE) this.#spare.push(memory);
  }

  #blockAt(position: number): Block | undefined {
    if (position >= this.#end) return undefined;
    let low = 0;
    let high = this.#blocks.length - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((this.#blocks[middle]?.start ?? 0) <= position) low = middle;
      else high = middle - 1;
    }
    return this.#blocks[low];
  }

  /**
   * Puts small blocks together that were sent: of tiny messages that nobody acknowledges, each would
   * take more memory than its bytes. Only equals are merged, so that a byte is not copied often.
   */
  #mergeSmall(): void {
    for (;;) {
      const [before, last] = this.#blocks.slice(-2);
      if (!before || !last?.handedOut || before.filled > 2 * last.filled) return;
      const filled = before.filled + last.filled;
      if (filled > this.#mostData) return;
      const memory = Buffer.allocUnsafe(MAX_DATA_HEADER + filled);
      for (const { start, memory: from, filled: length } of [before, last]) {
        const at = MAX_DATA_HEADER + start - before.start;
        memory.set(from.subarray(MAX_DATA_HEADER, MAX_DATA_HEADER + length), at);
      }
      this.#blocks.splice(-2, 2, {
        start: before.start,
        memory,
        filled,
        handedOut: true,
        abandoned: false,
      });
    }
  }

  /** Returns the block to fill, which must not have been sent. */
  #tail(wanted: number): Block {
    const last = this.#blocks.at(-1);
    if (last && !last.handedOut && last.filled < last.memory.length - MAX_DATA_HEADER) return last;
    this.#mergeSmall();
    const waiting = last && !last.handedOut ? last.filled : 0;
    const size = Math.min(this.#mostData, Math.max(SMALLEST_BLOCK, wanted, 2 * waiting));
    const spare = size === this.#mostData ? this.#spare.pop() : undefined;
    const memory = spare ?? Buffer.allocUnsafe(MAX_DATA_HEADER + size);
    const block = { start: this.#end, memory, filled: 0, handedOut: false, abandoned: false };
    this.#blocks.push(block);
    return block;
  }
}

export interface MessageOfLog {
  readonly message: Buffer;
  /** Number behind its last byte. */
  readonly next: number;
}
