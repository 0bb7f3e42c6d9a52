import type { WebSocket } from 'ws';

import { WsConnError } from '../base/errors.ts';
import type { WriteCallback } from '../base/pending-write.ts';
import { type Write, WriteRun } from '../base/write-run.ts';
import type { RunSender } from './write-batcher.ts';

export interface MessageSenderSettings {
  readonly maxMessageSize: number;
  /** Bytes that may sit in ws and in the socket's own queue. */
  readonly writableHighWaterMark: number;
}

/** What a message sender reports. */
export interface MessageSenderEvents {
  /** ws was given a message. */
  onMessageSent(): void;
  /** Bytes were handed to the kernel. */
  onProgress(): void;
}

const NOTHING = (): void => undefined;

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
export class MessageSender implements RunSender {
  readonly #ws: WebSocket;
  readonly #settings: MessageSenderSettings;
  readonly #events: MessageSenderEvents;
  readonly #run = new WriteRun();
  /** Bytes of the run that are not in a message yet. */
  #left = 0;
  /** Bytes in messages that the kernel has not taken. */
  #inFlight = 0;
  /** Whether the next message waits for the event loop to turn. */
  #resting = false;
  #callback: WriteCallback = NOTHING;

  constructor(ws: WebSocket, settings: MessageSenderSettings, events: MessageSenderEvents) {
    this.#ws = ws;
    this.#settings = settings;
    this.#events = events;
  }

  /**
   * Sends the writes, `length` bytes in all, in order. A WebSocket that is closing takes no more:
   * then the callback does not come, because only its 'close' will tell which error it is; when
   * that has passed, the callback gets `EPIPE`.
   */
  send(writes: readonly Write[], length: number, callback: WriteCallback): void {
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
    this.#run.start(writes);
    this.#callback = callback;
    this.#pump();
  }

  /** A run begins with a message that is a copy of its first writes, up to `maxMessageSize`. */
  takesAtOnce(length: number): boolean {
    return length < this.#settings.maxMessageSize;
  }

  #pump(): void {
    const { maxMessageSize, writableHighWaterMark } = this.#settings;
    let turn = 0;
    while (this.#left > 0 && this.#ws.readyState === this.#ws.OPEN) {
      const length = Math.min(this.#left, maxMessageSize);
      // Our own messages call back when they have left; control frames that wait there do not, so
      // one may join them.
      if (this.#inFlight > 0 && this.#ws.bufferedAmount + length > writableHighWaterMark) return;
      if (turn >= BYTES_PER_TURN) {
        this.#resting = true;
        setImmediate(() => {
          this.#resting = false;
          this.#pump();
        });
        return;
      }
      turn += length;
      this.#sendMessage(this.#run.cut(length));
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
      this.#events.onProgress();
      if (this.#left === 0) {
        if (this.#inFlight === 0) this.#finish();
      } else if (!this.#resting) {
        this.#pump();
      }
    });
    this.#events.onMessageSent();
  }

  #finish(): void {
    this.#run.clear();
    this.#callback();
  }
}
