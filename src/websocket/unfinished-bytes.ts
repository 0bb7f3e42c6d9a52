/** What a chunk costs beside its bytes, about: many tiny ones must not look like little. */
const BYTES_PER_CHUNK = 256;
/** Header of a control frame of a client: two bytes and the mask (RFC 6455, section 5.2). */
const CONTROL_HEADER = 6;

/** The connection that a message comes by. */
export interface UnfinishedMessageHost {
  /** Ends the connection: it has most of what is too much, so many bytes. */
  onTooMuch(bytes: number): void;
}

/**
 * Counts what all connections of a server have read of messages that are not complete, and has the
 * one with most of it end where that is too much. ws keeps its own count to itself, so this is
 * what a socket has read since its last message.
 */
export class UnfinishedBytes {
  /** Bytes that all may have together. */
  readonly limit: number;
  readonly #messages = new Set<UnfinishedMessage>();
  #total = 0;

  constructor(limit: number) {
    this.limit = limit;
  }

  /** Bytes of all connections. */
  get total(): number {
    return this.#total;
  }

  open(host: UnfinishedMessageHost): UnfinishedMessage {
    const message = new UnfinishedMessage(this, host);
    this.#messages.add(message);
    return message;
  }

  /** @internal */
  add(bytes: number): void {
    this.#total += bytes;
    if (this.#total > this.limit) this.#endLargest();
  }

  /** @internal */
  delete(message: UnfinishedMessage): void {
    this.#messages.delete(message);
    this.#total -= message.bytes;
  }

  #endLargest(): void {
    let largest: UnfinishedMessage | undefined;
    for (const message of this.#messages) {
      if (message.bytes > (largest?.bytes ?? 0)) largest = message;
    }
    largest?.fail();
  }
}

/** What one connection has read since its last message. */
export class UnfinishedMessage {
  readonly #all: UnfinishedBytes;
  readonly #host: UnfinishedMessageHost;
  #bytes = 0;
  /** Whether the chunk that ws has just read held the end of a message. */
  #complete = false;
  /** Bytes of the control frames in it: they are no part of a message. */
  #control = 0;
  #closed = false;

  constructor(all: UnfinishedBytes, host: UnfinishedMessageHost) {
    this.#all = all;
    this.#host = host;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** ws has read a chunk, and has emitted what was complete in it. */
  onChunk(length: number): void {
    if (this.#closed) return;
    const before = this.#bytes;
    // What follows a message in the same chunk is let go: less than what may wait to be read.
    if (this.#complete) this.#bytes = 0;
    else
      this.#bytes +=
        Math.max(length - this.#control, 0) + (this.#control < length ? BYTES_PER_CHUNK : 0);
    this.#complete = false;
    this.#control = 0;
    this.#all.add(this.#bytes - before);
  }

  onMessage(): void {
    this.#complete = true;
    if (this.#closed || this.#bytes === 0) return;
    const before = this.#bytes;
    this.#bytes = 0;
    this.#all.add(-before);
  }

  /** A ping or pong came. */
  onControl(payloadLength: number): void {
    this.#control += CONTROL_HEADER + payloadLength;
  }

  fail(): void {
    const bytes = this.#bytes;
    this.close();
    this.#host.onTooMuch(bytes);
  }

  /** The connection is gone, or reads no more. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#all.delete(this);
    this.#bytes = 0;
  }
}
