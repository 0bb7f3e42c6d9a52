import { Deadline } from './deadline.ts';

/** Orphans that are kept at a time: a peer that never ends its half must not fill the memory. */
const MAX_ORPHANS = 4_096;

/**
 * Remembers streams that this side has let go of in order, and whose peer has not ended its half. As with an orphaned TCP
 * connection, a peer that sends more is reset, and one that says nothing is reset after a while.
 */
export class Orphans {
  readonly #timeout: number;
  readonly #reset: (id: number) => void;
  readonly #deadlines = new Map<number, Deadline>();

  /** @param timeout - time in ms until a silent peer is reset @param reset - sends RST for an id */
  constructor(timeout: number, reset: (id: number) => void) {
    this.#timeout = timeout;
    this.#reset = reset;
  }

  has(id: number): boolean {
    return this.#deadlines.has(id);
  }

  add(id: number): void {
    const [oldest] = this.#deadlines.keys();
    if (oldest !== undefined && this.#deadlines.size >= MAX_ORPHANS) this.reset(oldest);
    const deadline = new Deadline(() => {
      this.reset(id);
    });
    this.#deadlines.set(id, deadline);
    deadline.start(this.#timeout);
  }

  /** Tells the peer that nobody is there, if the stream is an orphan. */
  reset(id: number): void {
    if (this.remove(id)) this.#reset(id);
  }

  /** Forgets a stream of which the peer has ended its half. */
  remove(id: number): boolean {
    this.#deadlines.get(id)?.stop();
    return this.#deadlines.delete(id);
  }

  clear(): void {
    for (const deadline of this.#deadlines.values()) deadline.stop();
    this.#deadlines.clear();
  }
}
