import type { CloseSaid } from '../wire/message.ts';

/** The WebSocket that a session runs over. */
export interface Carrier {
  /** Bytes that were sent and wait on this side. */
  readonly queued: number;
  /** Sends a message; `whenTaken` comes when the kernel has it, and not where the WebSocket fails. */
  send(message: Buffer, whenTaken?: () => void): void;
}

/** What a session reports to the stream that it is made for. */
export interface SessionEvents {
  readonly onData: (bytes: Buffer) => void;
  readonly onFin: () => void;
  /** The peer has ended all, in order, after what came before. */
  readonly onEnd: (close: CloseSaid) => void;
  /** The peer has broken off. */
  readonly onAbort: (close: CloseSaid) => void;
  /** The peer breaks the protocol. */
  readonly onViolation: (problem: string) => void;
  /** More may be written. */
  readonly onRoom: () => void;
  /** The peer has received more, or the WebSocket is another. */
  readonly onProgress: () => void;
  /** The WebSocket was given a message. */
  readonly onSent: () => void;
}

export interface SessionSettings {
  /** Bytes of the largest message. */
  readonly maxMessageSize: number;
  /** Bytes that may wait on this side of a WebSocket. */
  readonly highWaterMark: number;
  /** Bytes that either side keeps without an acknowledgement, or unread. */
  readonly window: number;
}
