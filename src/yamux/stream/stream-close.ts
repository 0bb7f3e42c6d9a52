import type { Duplex } from 'node:stream';

import { Deadline } from '../../base/deadline.ts';
import { WsConnError } from '../../base/errors.ts';
import type { Channel } from './channel.ts';
import type { ReadBuffer } from './read-buffer.ts';

/** Ends a stream in order, whether its user reads or not, and within a time limit. */
export class StreamClose {
  readonly #stream: Duplex;
  readonly #channel: Channel;
  readonly #readBuffer: ReadBuffer;
  readonly #timeout: number;
  readonly #limit = new Deadline(() => {
    this.#onLimit();
  });
  #started = false;

  /** @param timeout - time in ms until the stream is destroyed all the same */
  constructor(stream: Duplex, channel: Channel, readBuffer: ReadBuffer, timeout: number) {
    this.#stream = stream;
    this.#channel = channel;
    this.#readBuffer = readBuffer;
    this.#timeout = timeout;
  }

  get started(): boolean {
    return this.#started;
  }

  /** Throws away what was not read, sends what was written and FIN, and waits for the peer's. */
  start(): void {
    if (this.#started) return;
    this.#started = true;
    if (this.#stream.destroyed) return;
    const { known, gone } = this.#channel;
    if (!known && !gone && this.#stream.writableLength === 0) {
      // The peer has never heard of the stream.
      this.#stream.destroy();
      return;
    }
    this.#readBuffer.discard();
    this.#limit.start(this.#timeout);
    this.#limit.ref();
    if (this.#stream.writableFinished) {
      this.onProgress();
    } else {
      this.#stream.once('finish', () => {
        this.onProgress();
      });
      this.#stream.end();
    }
  }

  /** Destroys the stream once nothing is left to wait for. */
  onProgress(): void {
    if (!this.#stream.writableFinished || this.#stream.destroyed) return;
    const { finReceived, gone, window } = this.#channel;
    // A full window means that the peer goes on sending: it is to hear that nobody is there.
    if (finReceived || gone || window.open === 0) this.#stream.destroy();
  }

  /** Ends the time limit. */
  stop(): void {
    this.#limit.stop();
  }

  #onLimit(): void {
    if (this.#stream.writableFinished) {
      this.#stream.destroy();
      return;
    }
    const unsent = this.#stream.writableLength;
    const stake =
      unsent > 0
        ? `${String(unsent)} written bytes were not sent`
        : 'what was written last may be lost';
    const limit = `close() took longer than ${String(this.#timeout)} ms`;
    this.#stream.destroy(new WsConnError('ETIMEDOUT', `${limit}; ${stake}`));
  }
}
