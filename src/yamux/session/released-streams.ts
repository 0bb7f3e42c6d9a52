import { Deadline } from '../../base/deadline.ts';

/** Orphans that are kept at a time: a peer that never ends its half must not fill the memory. */
const MAX_ORPHANS = 4_096;

interface Orphan {
  readonly deadline: Deadline;
  readonly answered: () => void;
}

/**
 * Remembers streams that this side has let go of in order, and whose peer has not ended its half.
 * As with an orphaned TCP connection, a peer that sends more is reset, and one that says nothing is
 * reset after a while.
 */
export class Orphans {
  readonly #timeout: number;
  readonly #reset: (id: number) => void;
  readonly #orphans = new Map<number, Orphan>();

  /** @param timeout - time in ms until a silent peer is reset @param reset - sends RST for an id */
  constructor(timeout: number, reset: (id: number) => void) {
    this.#timeout = timeout;
    this.#reset = reset;
  }

  has(id: number): boolean {
    return this.#orphans.has(id);
  }

  /**
   * @param answered - called once, when the peer has answered to the stream for the first time, or
   * is not asked any more
   */
  add(id: number, answered: () => void = () => undefined): void {
    const [oldest] = this.#orphans.keys();
    if (oldest !== undefined && this.#orphans.size >= MAX_ORPHANS) this.reset(oldest);
    const deadline = new Deadline(() => {
      this.reset(id);
    });
    this.#orphans.set(id, { deadline, answered });
    deadline.start(this.#timeout);
  }

  /** The peer has sent a frame for the stream, if it is an orphan. */
  onAnswer(id: number): void {
    const orphan = this.#orphans.get(id);
    if (!orphan) return;
    this.#orphans.set(id, { deadline: orphan.deadline, answered: () => undefined });
    orphan.answered();
  }

  /** Tells the peer that nobody is there, if the stream is an orphan. */
  reset(id: number): void {
    if (this.remove(id)) this.#reset(id);
  }

  /** Forgets a stream of which the peer has ended its half. */
  remove(id: number): boolean {
    const orphan = this.#orphans.get(id);
    if (!orphan) return false;
    this.#orphans.delete(id);
    orphan.deadline.stop();
    orphan.answered();
    return true;
  }

  /** Forgets all, and tells nobody. */
  clear(): void {
    for (const { deadline } of this.#orphans.values()) deadline.stop();
    this.#orphans.clear();
  }
}
