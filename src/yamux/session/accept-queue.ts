import { ignore } from './outcome.ts';
import type { YamuxStream } from '../stream/stream.ts';

interface Taker {
  readonly resolve: (result: IteratorResult<YamuxStream, undefined>) => void;
  readonly reject: (error: Error) => void;
}

/** Keeps the streams that the peer has opened until somebody takes them. */
export class AcceptQueue {
  readonly #backlog: number;
  readonly #accept: (stream: YamuxStream) => void;
  readonly #waiting = new Set<YamuxStream>();
  readonly #takers = new Set<Taker>();
  #ended: { readonly error: Error | null } | null = null;

  /** @param accept - tells the peer that a stream was taken */
  constructor(backlog: number, accept: (stream: YamuxStream) => void) {
    this.#backlog = backlog;
    this.#accept = accept;
  }

  /**
   * Whether `add()` would have no place: a refused stream costs the peer a frame, and this side
   * nothing.
   */
  get full(): boolean {
    return this.#takers.size === 0 && this.#waiting.size >= this.#backlog;
  }

  /** Gives the stream to who waits for one, or keeps it. */
  add(stream: YamuxStream): void {
    // Until its user has it, nobody can listen: a reset then must not bring the process down.
    stream.on('error', ignore);
    const [taker] = this.#takers;
    if (taker) {
      this.#takers.delete(taker);
      this.#accept(stream);
      this.#handOver(stream, taker);
      return;
    }
    this.#waiting.add(stream);
    stream.once('close', () => this.#waiting.delete(stream));
  }

  /** Takes out a stream, the oldest first. */
  take(): YamuxStream | undefined {
    for (const stream of this.#waiting) {
      this.#waiting.delete(stream);
      // The 'error' of one that was just reset is on its way, and may not reach a user in time.
      if (stream.destroyed) continue;
      stream.off('error', ignore);
      this.#accept(stream);
      return stream;
    }
    return undefined;
  }

  /** Gives the next stream when there is one, or the end. */
  next(): Promise<IteratorResult<YamuxStream, undefined>> {
    const stream = this.take();
    if (stream) return Promise.resolve({ done: false, value: stream });
    if (this.#ended?.error) return Promise.reject(this.#ended.error);
    if (this.#ended) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve, reject) => {
      this.#takers.add({ resolve, reject });
    });
  }

  /** Ends every iteration, with the error if there is one. */
  end(error: Error | null): void {
    if (this.#ended) return;
    this.#ended = { error };
    for (const { resolve, reject } of this.#takers) {
      if (error) reject(error);
      else resolve({ done: true, value: undefined });
    }
    this.#takers.clear();
  }

  #handOver(stream: YamuxStream, taker: Taker): void {
    taker.resolve({ done: false, value: stream });
    // The promise gets there after the ticks that are due now, an 'error' among them.
    setImmediate(() => stream.off('error', ignore));
  }
}
