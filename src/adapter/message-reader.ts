import type { ReceiveBuffer } from '../base/receive-buffer.ts';
import { PROTOCOL_ERROR, UNSUPPORTED_DATA } from '../websocket/close-codes.ts';
import type { HalfClose } from './half-close.ts';

/** What messages come to, beside bytes for the reader. */
export interface MessageEvents {
  /** Payload came. */
  onData(): void;
  /** The peer has ended its direction. */
  onFin(): void;
  /** The peer broke the protocol: the close code that says so, and the reason. */
  onViolation(code: number, reason: string): void;
}

/**
 * Sorts what the peer sends: bytes for the reader, the FIN of a direction, and what has no place in
 * a stream of bytes.
 */
export class MessageReader {
  readonly #halfClose: HalfClose;
  readonly #received: ReceiveBuffer;
  readonly #events: MessageEvents;
  #bytesRead = 0;

  constructor(halfClose: HalfClose, received: ReceiveBuffer, events: MessageEvents) {
    this.#halfClose = halfClose;
    this.#received = received;
    this.#events = events;
  }

  /** Bytes of payload so far. */
  get bytesRead(): number {
    return this.#bytesRead;
  }

  take(bytes: Buffer, isBinary: boolean): void {
    if (!isBinary) {
      const size = String(bytes.length);
      const text = `a text message of ${size} bytes came, and this stream is binary`;
      this.#events.onViolation(UNSUPPORTED_DATA, text);
    } else if (bytes.length === 0) {
      if (!this.#halfClose.onEmptyMessage()) return;
      this.#received.end();
      this.#events.onFin();
    } else if (this.#halfClose.finReceived) {
      const late = `${String(bytes.length)} bytes came after the end of their direction`;
      this.#events.onViolation(PROTOCOL_ERROR, late);
    } else {
      this.#bytesRead += bytes.length;
      this.#halfClose.onData();
      this.#events.onData();
      this.#received.add(bytes);
    }
  }
}
