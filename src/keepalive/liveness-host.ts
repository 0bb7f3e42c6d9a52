import type { WsConnError } from '../base/errors.ts';

/** What liveness asks of its connection, and reports to it. */
export interface LivenessHost {
  /**
   * Bytes written so far, those in our own send queue included; undefined where nobody counts them.
   */
  written(): number | undefined;
  /** Bytes of them that wait in our own send queue. */
  queued(): number;
  /** Whether a ping may be sent. Where none may any more, it stops the loop. */
  mayPing(): boolean;
  /**
   * Sends a ping behind all that was written, and calls `whenSent` when it has left the send queue.
   */
  ping(id: number, whenSent: () => void): void;
  /** Whether the peer acknowledges what it gets by itself; false where left out. */
  readonly marks?: boolean;
  /**
   * In place of the pings of a burst, where the peer `marks`: `onMark()` is called when it has all
   * that was written so far.
   */
  mark?(id: number): void;
  /** Shows the peer that we live, while our reading is paused. */
  showLife(): void;
  /** A ping was answered, after so many ms. */
  onPong(roundTrip: number): void;
  /** The peer is dead: `ETIMEDOUT`. The loop has stopped. */
  onDead(error: WsConnError): void;
}
