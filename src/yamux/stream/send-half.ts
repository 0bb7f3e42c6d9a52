import { isolate } from '../../base/errors.ts';
import { type Write, WriteRun } from '../../base/write-run.ts';
import type { FrameWriter } from '../wire/frame-writer.ts';
import { HEADER_SIZE, INITIAL_WINDOW, MAX_UINT32 } from '../wire/frame.ts';

/** Keeps what one stream has been given to send, and how much of it the peer's window allows. */
export class SendHalf {
  readonly #unsent = new WriteRun();
  /** Bytes of them. */
  #length = 0;
  #whenSent: (() => void) | null = null;
  #window = INITIAL_WINDOW;

  /** Whether there is something to send, and room for it. */
  get ready(): boolean {
    return this.#length > 0 && this.#window > 0;
  }

  /**
   * Takes writes to send, `length` bytes in all; there must be nothing left of those before.
   * `whenSent` comes when the last byte of them is in a frame.
   */
  add(writes: readonly Write[], length: number, whenSent: () => void): void {
    this.#unsent.start(writes);
    this.#length = length;
    this.#whenSent = whenSent;
    if (length === 0) this.#finish();
  }

  /** The peer opens its window further; false if by more than a window can be. */
  widen(bytes: number): boolean {
    this.#window += bytes;
    return this.#window <= MAX_UINT32;
  }

  /**
   * Fills one frame; there must be something to send and room for it, in the writer too. A write is
   * done when it is copied there, and then Writable hands over what was written behind it: small
   * writes share a frame.
   */
  fill(writer: FrameWriter, streamId: number): void {
    const most = Math.min(this.#window, writer.room - HEADER_SIZE);
    let left = most;
    writer.beginData();
    while (left > 0 && this.#length > 0) {
      const piece = this.#unsent.next(left);
      writer.body(piece);
      left -= piece.length;
      this.#length -= piece.length;
      if (this.#length === 0) this.#finish();
    }
    writer.endData(streamId);
    this.#window -= most - left;
  }

  /** Drops what waits, and its callback. */
  clear(): void {
    this.#unsent.clear();
    this.#length = 0;
    this.#whenSent = null;
  }

  #finish(): void {
    const whenSent = this.#whenSent;
    this.clear();
    if (whenSent) isolate(whenSent);
  }
}
