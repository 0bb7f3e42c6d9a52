/**
 * Slowest rate that a link is taken to have, in bytes per ms: 8 kB/s, half of what the slowest
 * links in the field do. The rate seen so far is no better guide: it may fall at any moment, and
 * only the answer that is waited for would show it.
 */
const SLOWEST_RATE = 8;

/** Bytes that kernels and hops may hold of one connection, beside our own send queue. */
const MOST_UNSEEN = 16 * 1024 * 1024;

/**
 * Estimates when bytes have reached the peer at the latest. That they were handed to the kernel
 * proves nothing: kernels hold megabytes. Only an answer shows what has arrived. What was written
 * after that is taken to arrive at `SLOWEST_RATE`. Times are in ms.
 */
export class Transit {
  #written = 0;
  /** Bytes that have arrived at the latest by `#at`. */
  #arrived = 0;
  #at: number;

  constructor(now: number) {
    this.#at = now;
  }

  /** Records how many bytes were written so far, and how many of them wait in our own queue. */
  onWritten(written: number, queued: number, now: number): void {
    this.#arrived = Math.max(this.arrived(now), written - queued - MOST_UNSEEN);
    this.#at = now;
    this.#written = written;
  }

  /**
   * Records an answer: the bytes up to `position` have arrived. It does not say whether more have.
   */
  onArrived(position: number, now: number): void {
    this.#arrived = position;
    this.#at = now;
  }

  /** Bytes that have arrived by now, at the slowest rate. */
  arrived(now: number): number {
    return Math.min(this.#written, this.#arrived + (now - this.#at) * SLOWEST_RATE);
  }

  /**
   * When the bytes up to `position` have arrived, at the slowest rate; no earlier than the last
   * record.
   */
  arrivalOf(position: number): number {
    return this.#at + Math.max(0, position - this.#arrived) / SLOWEST_RATE;
  }
}
