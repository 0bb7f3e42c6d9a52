import type { FrameWriter } from './frame-writer.ts';
import { HEADER_SIZE } from './frame.ts';

/** A frame of the session itself: a ping, a GoAway, the refusal of a stream. */
export interface SessionFrame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly length: number;
  /** Whether it answers the peer, which can cause any number of them. */
  readonly isReply: boolean;
}

/**
 * Replies that may wait for the transport. Honest peers cause a handful; a flood is cut off here.
 */
const MAX_REPLIES = 4_096;

/** Holds the frames of the session itself until there is room for them. */
export class SessionFrames {
  #frames: SessionFrame[] = [];
  #replies = 0;
  #whenSent: (() => void)[] = [];

  get length(): number {
    return this.#frames.length;
  }

  /** Whether more replies wait than an honest peer causes. */
  get flooded(): boolean {
    return this.#replies > MAX_REPLIES;
  }

  /** @param whenSent - called when the transport has got rid of the frame */
  add(frame: SessionFrame, whenSent?: () => void): void {
    this.#frames.push(frame);
    if (frame.isReply) this.#replies++;
    if (whenSent) this.#whenSent.push(whenSent);
  }

  /** Writes as many as there is room for. */
  writeTo(writer: FrameWriter): void {
    const count = Math.min(this.#frames.length, Math.floor(writer.room / HEADER_SIZE));
    for (const { isReply, type, flags, streamId, length } of this.#frames.splice(0, count)) {
      if (isReply) this.#replies--;
      writer.header(type, flags, streamId, length);
    }
  }

  /** Takes out who is to be called when the transport has got rid of what was written. */
  takeCallbacks(): readonly (() => void)[] {
    const callbacks = this.#whenSent;
    if (callbacks.length > 0) this.#whenSent = [];
    return callbacks;
  }

  clear(): void {
    this.#frames = [];
    this.#whenSent = [];
  }
}
