import type { Writable } from 'node:stream';

import { PendingWrite, type WriteCallback } from '../base/pending-write.ts';
import type { Write } from '../base/write-run.ts';

/** What sends the runs. */
export interface RunSender {
  /** Sends the writes, `length` bytes in all; one run at a time. */
  send(writes: readonly Write[], length: number, callback: WriteCallback): void;
  /**
   * Whether it would have done with the memory of the first `length` bytes of a run, once `send()`
   * returns.
   */
  takesAtOnce(length: number): boolean;
}

/** What the batcher asks of the stream whose writes it takes. */
export type WriteBatcherHost = Pick<Writable, 'destroyed' | 'writableCorked' | 'writableLength'>;

/**
 * Makes one run of all the writes of a turn of the event loop, so that they leave as one message.
 *
 * Writable hands over the first write of a turn and keeps the others until it is called back. So
 * the first waits until the turn is over, is then reported as done, and joins the others, which
 * Writable hands over at once. Writable stays the only queue. Until the connection is open, the
 * first write waits for that. Where the sender would not take all of it at once, it goes alone: its
 * writer may reuse the memory of what was reported.
 */
export class WriteBatcher {
  readonly #stream: WriteBatcherHost;
  readonly #sender: RunSender;
  /** Bytes from which a write is a message of its own and need not wait. */
  readonly #wholeMessage: number;
  readonly #pending = new PendingWrite();
  /** The first write of the turn, while the others are fetched. */
  #first: Buffer | null = null;
  #early = 0;
  /** What waits for the connection: the first write or the end, never both. */
  #waiting: (() => void) | null = null;
  #open: boolean;

  constructor(stream: WriteBatcherHost, sender: RunSender, wholeMessage: number, open: boolean) {
    this.#stream = stream;
    this.#sender = sender;
    this.#wholeMessage = wholeMessage;
    this.#open = open;
  }

  /** Bytes of a run that is under way which Writable no longer counts. */
  get early(): number {
    return this.#early;
  }

  /** Bytes that Writable no longer counts. */
  get bytesDone(): number {
    return this.#pending.bytesDone;
  }

  /** Takes what `_write()` gets. */
  write(chunk: Buffer, callback: WriteCallback): void {
    this.#pending.take(chunk.length, callback);
    const first = this.#takeFirst();
    if (first) {
      this.#send([{ chunk: first }, { chunk }], first.length + chunk.length);
    } else if (chunk.length >= this.#wholeMessage) {
      this.#send([{ chunk }], chunk.length);
    } else {
      process.nextTick(() => {
        this.whenOpen(() => {
          this.#sendOrBatch(chunk);
        });
      });
    }
  }

  /** Takes what `_writev()` gets. */
  writev(writes: readonly Write[], callback: WriteCallback): void {
    // Writable hands over all that it has.
    const length = this.#stream.writableLength;
    this.#pending.take(length, callback);
    const first = this.#takeFirst();
    if (first) this.#send([{ chunk: first }, ...writes], first.length + length);
    else this.#send(writes, length);
  }

  /** Does it now, or once the connection is open; a later call replaces an earlier one. */
  whenOpen(action: () => void): void {
    if (this.#open) action();
    else this.#waiting = action;
  }

  /** The connection is open: does what waited for it. */
  open(): void {
    this.#open = true;
    const waiting = this.#waiting;
    this.#waiting = null;
    waiting?.();
  }

  /**
   * Tells Writable that its write is lost; on a tick of its own, since the caller of destroy() may
   * still be at it.
   */
  drop(tell: (settle: (error: Error | null) => void) => void): void {
    this.#waiting = null;
    process.nextTick(() => {
      tell((error) => {
        this.#pending.settle(error);
      });
    });
  }

  #takeFirst(): Buffer | null {
    const first = this.#first;
    this.#first = null;
    return first;
  }

  #sendOrBatch(chunk: Buffer): void {
    const stream = this.#stream;
    if (stream.destroyed) return;
    const others = stream.writableLength > chunk.length && stream.writableCorked === 0;
    if (others && this.#sender.takesAtOnce(chunk.length)) {
      this.#first = chunk;
      this.#early = chunk.length;
      this.#pending.settle(null);
    } else {
      this.#send([{ chunk }], chunk.length);
    }
  }

  #send(writes: readonly Write[], length: number): void {
    this.whenOpen(() => {
      this.#sender.send(writes, length, (error = null) => {
        this.#early = 0;
        this.#pending.settle(error);
      });
    });
  }
}
