import { Deadline } from '../../base/deadline.ts';

/** Streams that are kept at a time: a peer that never ends its half must not fill the memory. */
const MAX_RELEASED = 4_096;

interface ReleasedStream {
  readonly deadline: Deadline;
  readonly answered: () => void;
}

/**
 * Remembers streams that this side has let go of in order, and whose peer has not ended its half.
 * As with an orphaned TCP connection, a peer that sends more is reset, and one that says nothing is
 * reset after a while.
 */
export class ReleasedStreams {
  readonly #timeout: number;
  readonly #reset: (id: number) => void;
  readonly #streams = new Map<number, ReleasedStream>();

  /** @param timeout - time in ms until a silent peer is reset @param reset - sends RST for an id */
  constructor(timeout: number, reset: (id: number) => void) {
    this.#timeout = timeout;
    this.#reset = reset;
  }

  has(id: number): boolean {
    return this.#streams.has(id);
  }

  /**
   * @param answered - called once, when the peer has answered to the stream for the first time, or
   * is not asked any more
   */
  add(id: number, answered: () => void = () => undefined): void {
    const [oldest] = this.#streams.keys();
    if (oldest !== undefined && this.#streams.size >= MAX_RELEASED) this.reset(oldest);
    const deadline = new Deadline(() => {
      this.reset(id);
    });
    this.#streams.set(id, { deadline, answered });
    deadline.start(this.#timeout);
  }

  /** The peer has sent a frame for the stream, if it is an stream. */
  onAnswer(id: number): void {
    const stream = this.#streams.get(id);
    if (!stream) return;
    this.#streams.set(id, { deadline: stream.deadline, answered: () => undefined });
    stream.answered();
  }

  /** Tells the peer that nobody is there, if the stream is an stream. */
  reset(id: number): void {
    if (this.remove(id)) this.#reset(id);
  }

  /** Forgets a stream of which the peer has ended its half. */
  remove(id: number): boolean {
    const stream = this.#streams.get(id);
    if (!stream) return false;
    this.#streams.delete(id);
    stream.deadline.stop();
    stream.answered();
    return true;
  }

  /** Forgets all, and tells nobody. */
  clear(): void {
    for (const { deadline } of this.#streams.values()) deadline.stop();
    this.#streams.clear();
  }
}
