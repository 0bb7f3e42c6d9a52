import { Duplex } from 'node:stream';

import { FrameDecoder, type FrameHeader } from '../../src/yamux/wire/frame.ts';

/**
 * A transport that takes what is written only when the test says so, and brings what the test gives
 * it.
 */
export class HeldTransport extends Duplex {
  /** Headers of the frames that were written, taken or not. */
  readonly frames: FrameHeader[] = [];
  readonly #decoder = new FrameDecoder({
    onHeader: (header) => this.frames.push(header),
    onBody: () => undefined,
  });
  #callback: (() => void) | null = null;
  #open = false;

  constructor() {
    super({ allowHalfOpen: true });
  }

  /** Takes all that is written, from now on. */
  takeAll(): void {
    this.#open = true;
    this.#callback?.();
  }

  override _read(): void {
    // The test pushes what comes.
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: () => void): void {
    this.#decoder.decode(chunk);
    if (this.#open) callback();
    else this.#callback = callback;
  }
}
