import { WaitingItems } from '../../base/waiting-items.ts';
import type { YamuxStream } from '../stream/stream.ts';
import { ignore } from './session-outcome.ts';

/** Keeps the streams that the peer has opened until somebody takes them. */
export class AcceptQueue {
  readonly #backlog: number;
  readonly #accept: (stream: YamuxStream) => void;
  readonly #streams = new WaitingItems<YamuxStream>();

  /** @param accept - tells the peer that a stream was taken */
  constructor(backlog: number, accept: (stream: YamuxStream) => void) {
    this.#backlog = backlog;
    this.#accept = accept;
  }

  /** Whether one more stream would be too many. Refusing it costs one frame, and no memory. */
  get full(): boolean {
    return this.#streams.surplus >= this.#backlog;
  }

  /** Passes the stream to who waits for one, or keeps it. */
  add(stream: YamuxStream): void {
    // Until its user has it, nobody can listen: a reset then must not bring the process down.
    stream.on('error', ignore);
    if (this.#streams.add(stream)) {
      this.#accept(stream);
      // The promise gets there after the ticks that are due now, an 'error' among them.
      setImmediate(() => stream.off('error', ignore));
    } else {
      stream.once('close', () => {
        this.#streams.remove(stream);
      });
    }
  }

  /** Takes out a stream, the oldest first. */
  takeNow(): YamuxStream | undefined {
    let stream = this.#streams.takeNow();
    // The 'error' of one that was just reset is on its way, and may not reach a user in time.
    while (stream?.destroyed) stream = this.#streams.takeNow();
    if (!stream) return undefined;
    stream.off('error', ignore);
    this.#accept(stream);
    return stream;
  }

  /** Takes out the next stream when there is one; null at the end. Rejects with the error. */
  take(): Promise<YamuxStream | null> {
    const stream = this.takeNow();
    return stream ? Promise.resolve(stream) : this.#streams.take();
  }

  /** Ends every iteration, with the error if there is one. */
  end(error: Error | null): void {
    this.#streams.end(error);
  }
}
