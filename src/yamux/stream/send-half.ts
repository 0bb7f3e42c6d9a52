import type { FrameWriter } from '../wire/frame-writer.ts';
import { HEADER_SIZE, INITIAL_WINDOW, MAX_UINT32 } from '../wire/frame.ts';
import { isolate } from '../../base/isolate.ts';
import { UnsentBytes } from './unsent-bytes.ts';

/**
 * Keeps what one stream has been given to send, and how much of it the window of the peer lets go.
 */
export class SendHalf {
  readonly #unsent = new UnsentBytes();
  #whenSent: (() => void) | null = null;
  #window = INITIAL_WINDOW;

  /** Whether there is something to send, and room for it. */
  get ready(): boolean {
    return this.#unsent.length > 0 && this.#window > 0;
  }

  /** Takes chunks to send; `whenSent` comes when the last byte of them is in a frame. */
  add(chunks: readonly Buffer[], whenSent: () => void): void {
    for (const chunk of chunks) this.#unsent.add(chunk);
    this.#whenSent = whenSent;
    if (this.#unsent.length === 0) this.#sent();
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
    while (left > 0 && this.#unsent.length > 0) {
      const length = Math.min(this.#unsent.length, left);
      left -= length;
      this.#unsent.take(length, (chunk) => {
        writer.body(chunk);
      });
      if (this.#unsent.length === 0) this.#sent();
    }
    writer.endData(streamId);
    this.#window -= most - left;
  }

  /** Drops what waits, and who waits for it. */
  clear(): void {
    this.#unsent.clear();
    this.#whenSent = null;
  }

  #sent(): void {
    const whenSent = this.#whenSent;
    this.#whenSent = null;
    if (whenSent) isolate(whenSent);
  }
}
