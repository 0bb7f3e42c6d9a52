import { streamDestroyed } from './errors.ts';

/** What Writable wants to be called when it may hand over the next write. */
export type WriteCallback = (error?: Error | null) => void;

/**
 * Keeps the write that Writable has handed over until Writable is told how it went, which is once,
 * however it ends.
 */
export class PendingWrite {
  #length = 0;
  #callback: WriteCallback | null = null;
  #bytesDone = 0;

  /** Bytes of the writes that Writable was told of: it no longer counts them. */
  get bytesDone(): number {
    return this.#bytesDone;
  }

  /** Takes over a write of `length` bytes; the one before it must be settled. */
  take(length: number, callback: WriteCallback): void {
    this.#length = length;
    this.#callback = callback;
  }

  /** Tells Writable how its write went, unless it was told before. */
  settle(error: Error | null): void {
    const callback = this.#callback;
    this.#callback = null;
    if (!callback) return;
    this.#bytesDone += this.#length;
    callback(error);
  }
}

/** What whoever writes wants to be called when the write is done or lost. */
export type WriteDone = (error: Error | null | undefined) => void;

/**
 * Tells the callbacks of lost writes the truth where Writable must not hear it.
 *
 * What Writable is told of a write after `destroy()` becomes `errored`, which is settled by then:
 * so it is told of the error that ended the stream or, as by net.Socket, of none.
 */
export class LostWrites {
  /** Whether a write is being settled whose bytes are lost although there was no error. */
  #losing = false;

  /** Makes the callback hear of a loss of which Writable hears nothing. */
  wrap(callback: WriteDone): WriteDone {
    return (error) => {
      callback(error ?? (this.#losing ? streamDestroyed('write') : error));
    };
  }

  /** Settles a write that is lost. */
  settle(error: Error | null, settle: (told: Error | null) => void): void {
    this.#losing = error === null;
    settle(error);
    this.#losing = false;
  }
}
