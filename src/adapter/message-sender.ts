import type { WebSocket } from 'ws';

import { WsConnError } from '../base/errors.ts';

export interface OutgoingOptions {
  readonly maxMessageSize: number;
  /** Bytes that may sit in ws and in the socket's own queue. */
  readonly highWaterMark: number;
  /** Called whenever ws was given a message. */
  readonly onMessage: () => void;
  /** Called whenever bytes have been handed to the kernel. */
  readonly onProgress: () => void;
}

/** One write as Writable hands it over; the bytes are all that counts. */
export interface Write {
  readonly chunk: Buffer;
}

/**
 * Bytes after which one write lets the event loop turn, so that a fast peer cannot keep it from
 * everything else.
 */
const BYTES_PER_TURN = 1_048_576;

/**
 * Sends runs of bytes as binary messages: gathers small chunks, cuts large ones, and holds back
 * what the kernel does not take. One run at a time, as Writable hands them over; its callback comes
 * when the kernel has all of it, so that the caller may reuse the memory.
 */
export class Outgoing {
  readonly #ws: WebSocket;
  readonly #maxMessageSize: number;
  readonly #highWaterMark: number;
  readonly #onMessage: () => void;
  readonly #onProgress: () => void;
  #writes: readonly Write[] = [];
  /** Where the next message starts: in which write, and at which byte of it. */
  #index = 0;
  #offset = 0;
  /**
   * Bytes of the run that are not in a message yet, and bytes in messages that the kernel has not
   * taken.
   */
  #left = 0;
  #inFlight = 0;
  /** Whether the next message waits for the event loop to turn. */
  #resting = false;
  #callback: (error?: Error | null) => void = () => undefined;

  constructor(ws: WebSocket, options: OutgoingOptions) {
    this.#ws = ws;
    this.#maxMessageSize = options.maxMessageSize;
    this.#highWaterMark = options.highWaterMark;
    this.#onMessage = options.onMessage;
    this.#onProgress = options.onProgress;
  }

  /**
   * Sends the writes, `length` bytes in all, in order. A WebSocket that is closing takes no more:
   * then the callback does not come, because only its 'close' will tell which error it is; when
   * that has passed, the callback gets `EPIPE`.
   */
  send(writes: readonly Write[], length: number, callback: (error?: Error | null) => void): void {
    if (this.#ws.readyState === this.#ws.CLOSED) {
      callback(
        new WsConnError('EPIPE', `${String(length)} bytes were written after the peer had closed`),
      );
      return;
    }
    if (length === 0) {
      callback();
      return;
    }
    this.#left = length;
    this.#writes = writes;
    this.#index = this.#offset = 0;
    this.#callback = callback;
    this.#pump();
  }

  #pump(): void {
    let turn = 0;
    while (this.#left > 0 && this.#ws.readyState === this.#ws.OPEN) {
      const length = Math.min(this.#left, this.#maxMessageSize);
      // Our own messages call back when they have left; control frames that wait there do not, so
      // one may join them.
      if (this.#inFlight > 0 && this.#ws.bufferedAmount + length > this.#highWaterMark) return;
      if (turn >= BYTES_PER_TURN) {
        this.#resting = true;
        setImmediate(() => {
          this.#resting = false;
          this.#pump();
        });
        return;
      }
      turn += length;
      this.#sendMessage(this.#cut(length));
    }
  }

  #sendMessage(message: Buffer): void {
    this.#left -= message.length;
    this.#inFlight += message.length;
    this.#ws.send(message, (error) => {
      // The callback stays out, so Writable goes on counting these bytes: the WebSocket's 'close'
      // says that they are lost.
      if (error) return;
      this.#inFlight -= message.length;
      this.#onProgress();
      if (this.#left === 0) {
        if (this.#inFlight === 0) this.#finish();
      } else if (!this.#resting) {
        this.#pump();
      }
    });
    this.#onMessage();
  }

  #finish(): void {
    this.#writes = [];
    this.#callback();
  }

  /** Takes the next `length` bytes: a view where one chunk has them all, else a copy. */
  #cut(length: number): Buffer {
    const first = this.#chunk();
    if (first.length - this.#offset >= length) return this.#take(length);
    const message = Buffer.allocUnsafe(length);
    for (let filled = 0; filled < length;) {
      const room = length - filled;
      const part = this.#take(Math.min(room, this.#chunk().length - this.#offset));
      // Not copy(): for chunks of a few bytes its checks cost more than the bytes.
      message.set(part, filled);
      filled += part.length;
    }
    return message;
  }

  #chunk(): Buffer {
    const write = this.#writes[this.#index];
    if (write === undefined) throw new RangeError('more bytes were asked for than were written');
    return write.chunk;
  }

  /** Takes the next `length` bytes of one chunk, and moves on. */
  #take(length: number): Buffer {
    const chunk = this.#chunk();
    const from = this.#offset;
    this.#offset += length;
    if (this.#offset === chunk.length) {
      this.#index++;
      this.#offset = 0;
    }
    return length === chunk.length ? chunk : chunk.subarray(from, from + length);
  }
}
