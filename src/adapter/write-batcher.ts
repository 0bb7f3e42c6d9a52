import type { Writable } from 'node:stream';

import type { Outgoing, Write } from './message-sender.ts';

/** What Writable wants to be called when it may hand over the next write. */
export type WriteCallback = (error?: Error | null) => void;

/** What the gatherer asks of the stream whose writes it takes. */
export type GatheredStream = Pick<Writable, 'destroyed' | 'writableCorked' | 'writableLength'>;

/**
 * Makes one run of all the writes of a turn of the event loop, so that they leave as one message.
 *
 * Writable hands over the first write of a turn and keeps the others until it is called back. So
 * the first waits until the turn is over, is then reported as done, and joins the others, which
 * Writable hands over at once. Writable stays the only queue. Until the connection is open, the
 * first write waits for that.
 */
export class Gatherer {
  readonly #stream: GatheredStream;
  readonly #outgoing: Outgoing;
  /** Bytes from which a write is a message of its own and need not wait. */
  readonly #wholeMessage: number;
  /** The first write of the turn, while the others are fetched. */
  #head: Buffer | null = null;
  /**
   * The write that Writable has handed over, of which it still counts `length` bytes; set while
   * there is one.
   */
  #writing: { readonly length: number; readonly callback: WriteCallback } | null = null;
  /** What waits for the connection: the first write or the end, never both. */
  #held: (() => void) | null = null;
  #open: boolean;
  #bytesDone = 0;

  constructor(stream: GatheredStream, outgoing: Outgoing, wholeMessage: number, open: boolean) {
    this.#stream = stream;
    this.#outgoing = outgoing;
    this.#wholeMessage = wholeMessage;
    this.#open = open;
  }

  /** Bytes that Writable no longer counts. */
  get bytesDone(): number {
    return this.#bytesDone;
  }

  /** Takes what `_write()` gets. */
  write(chunk: Buffer, callback: WriteCallback): void {
    this.#writing = { length: chunk.length, callback };
    const head = this.#takeHead();
    if (head) {
      this.#send([{ chunk: head }, { chunk }], head.length + chunk.length);
    } else if (chunk.length >= this.#wholeMessage) {
      this.#send([{ chunk }], chunk.length);
    } else {
      process.nextTick(() => {
        this.whenOpen(() => {
          this.#gather(chunk);
        });
      });
    }
  }

  /** Takes what `_writev()` gets. */
  writev(writes: readonly Write[], callback: WriteCallback): void {
    // Writable hands over all that it has.
    const length = this.#stream.writableLength;
    this.#writing = { length, callback };
    const head = this.#takeHead();
    if (head) this.#send([{ chunk: head }, ...writes], head.length + length);
    else this.#send(writes, length);
  }

  /** Does it now, or once the connection is open; a later call replaces an earlier one. */
  whenOpen(action: () => void): void {
    if (this.#open) action();
    else this.#held = action;
  }

  /** Lets go on what waited for the connection. */
  open(): void {
    this.#open = true;
    const held = this.#held;
    this.#held = null;
    held?.();
  }

  /**
   * Tells Writable that its write is lost; on a tick of its own, since the caller of destroy() may
   * still be at it.
   */
  drop(tell: (settle: (error: Error | null) => void) => void): void {
    this.#held = null;
    process.nextTick(() => {
      tell((error) => {
        this.#settle(error);
      });
    });
  }

  #takeHead(): Buffer | null {
    const head = this.#head;
    this.#head = null;
    return head;
  }

  #gather(chunk: Buffer): void {
    const stream = this.#stream;
    if (stream.destroyed) return;
    if (stream.writableLength > chunk.length && stream.writableCorked === 0) {
      this.#head = chunk;
      this.#settle();
    } else {
      this.#send([{ chunk }], chunk.length);
    }
  }

  #send(writes: readonly Write[], length: number): void {
    this.whenOpen(() => {
      this.#outgoing.send(writes, length, (error) => {
        this.#settle(error);
      });
    });
  }

  /** Tells Writable how its write went, unless it was told before. */
  #settle(error?: Error | null): void {
    const writing = this.#writing;
    this.#writing = null;
    if (!writing) return;
    this.#bytesDone += writing.length;
    writing.callback(error);
  }
}
