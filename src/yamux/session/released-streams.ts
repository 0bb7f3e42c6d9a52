import { Deadline } from '../../base/deadline.ts';
import { INITIAL_WINDOW } from '../wire/frame.ts';

/** Streams that are kept at a time: a peer that never ends its half must not fill the memory. */
const MAX_RELEASED = 4_096;

interface ReleasedStream {
  readonly deadline: Deadline;
  readonly onAnswered: () => void;
}

/**
 * Remembers streams that this side has ended and left, while the peer has not ended its half. As
 * with an orphaned TCP connection, a peer that sends more is reset, and one that sends nothing is
 * reset after a while.
 *
 * Also counts what may come for streams that are gone, those that were reset included: the peer
 * sent it before it knew.
 */
export class ReleasedStreams {
  readonly #timeout: number;
  readonly #sendReset: (id: number) => void;
  readonly #streams = new Map<number, ReleasedStream>();
  /** Bytes that may still come for streams that are gone: no honest peer sends more. */
  #allowance = INITIAL_WINDOW;

  /** @param timeout - time in ms until a silent peer is reset */
  constructor(timeout: number, sendReset: (id: number) => void) {
    this.#timeout = timeout;
    this.#sendReset = sendReset;
  }

  has(id: number): boolean {
    return this.#streams.has(id);
  }

  /**
   * @param onAnswered - called once, when the peer has answered to the stream for the first time,
   * or is not asked any more
   */
  add(id: number, onAnswered: () => void = () => undefined): void {
    const [oldest] = this.#streams.keys();
    if (oldest !== undefined && this.#streams.size >= MAX_RELEASED) this.#reset(oldest);
    const deadline = new Deadline(() => {
      this.#reset(id);
    });
    this.#streams.set(id, { deadline, onAnswered });
    deadline.start(this.#timeout);
  }

  /** Allows bytes that may come for a stream that is gone: what was left of its window. */
  allow(bytes: number): void {
    this.#allowance += bytes;
  }

  /** The peer has sent a frame for a stream that is gone. */
  onAnswer(id: number): void {
    const stream = this.#streams.get(id);
    if (!stream) return;
    this.#streams.set(id, { deadline: stream.deadline, onAnswered: () => undefined });
    stream.onAnswered();
  }

  /** Bytes came for a stream that is gone; false if they are more than any window allowed. */
  onData(id: number, bytes: number): boolean {
    this.#allowance -= bytes;
    if (this.#allowance < 0) return false;
    this.#reset(id);
    return true;
  }

  /** The peer has ended or reset its half of a stream that is gone. */
  onEnd(id: number): void {
    this.#forget(id);
  }

  /** Forgets all streams, and resets none. */
  clear(): void {
    for (const { deadline } of this.#streams.values()) deadline.stop();
    this.#streams.clear();
  }

  /** Resets the stream, if it is one that was released. */
  #reset(id: number): void {
    if (this.#forget(id)) this.#sendReset(id);
  }

  #forget(id: number): boolean {
    const stream = this.#streams.get(id);
    if (!stream) return false;
    this.#streams.delete(id);
    stream.deadline.stop();
    stream.onAnswered();
    return true;
  }
}
