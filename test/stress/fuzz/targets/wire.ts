import { Duplex } from 'node:stream';

/** How the peer ends what it has sent. */
export type WireEnd = 'FIN' | 'reset';

/**
 * A socket in memory. Its peer takes all that is written, unless told otherwise, and keeps none of
 * it; sends what it is told, and ends when this side does.
 */
export class Wire extends Duplex {
  /** Bytes that were written. */
  written = 0;
  #ended = false;
  #holds = false;
  #held: (() => void) | null = null;
  readonly #onWrite: ((chunk: Buffer) => void) | undefined;

  constructor(onWrite?: (chunk: Buffer) => void) {
    super({ allowHalfOpen: true });
    this.#onWrite = onWrite;
  }

  /** The peer takes nothing any more, until it ends. */
  hold(): void {
    this.#holds = true;
  }

  /** The peer sends a chunk. */
  bring(chunk: Buffer): void {
    if (!this.#ended && !this.destroyed) this.push(chunk);
  }

  /** The peer ends. */
  bringEnd(how: WireEnd): void {
    if (this.destroyed) return;
    if (how === 'FIN') {
      this.#holds = false;
      this.#held?.();
      this.#held = null;
      this.#end();
    } else {
      this.destroy(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }));
    }
  }

  override _read(): void {
    // The peer sends when it is told.
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: () => void): void {
    this.written += chunk.length;
    this.#onWrite?.(chunk);
    if (this.#holds) this.#held = callback;
    else callback();
  }

  override _final(callback: () => void): void {
    callback();
    this.#end();
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.push(null);
  }
}

/** Lets all that is due happen: ticks, microtasks, and a turn of the event loop. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function tick(): Promise<void> {
  return new Promise((resolve) => {
    process.nextTick(resolve);
  });
}

/** Has the peer send the chunks, in one go or each in a tick of its own. */
export async function bringAll(
  wire: Wire,
  chunks: readonly Buffer[],
  apart: boolean,
): Promise<void> {
  for (const chunk of chunks) {
    wire.bring(chunk);
    if (apart) await tick();
  }
}
