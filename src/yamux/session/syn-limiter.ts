import type { Channel } from '../stream/channel.ts';

/**
 * Holds SYNs back while as many wait for their ACK as the peer's backlog has room for: it answers
 * more with RST. hashicorp/yamux blocks its open() there, and takes both sides' backlogs to be of
 * one size.
 */
export class SynLimiter {
  readonly #limit: number;
  #unanswered = 0;
  readonly #waiting = new Set<Channel>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Starts the channel now or when its turn comes. */
  add(channel: Channel): void {
    if (this.#unanswered < this.#limit) {
      this.#unanswered++;
      channel.start();
    } else {
      this.#waiting.add(channel);
    }
  }

  /**
   * Takes out a channel that was answered or is gone, and starts the next; called once for each
   * that was added.
   */
  remove(channel: Channel): void {
    if (this.#waiting.delete(channel)) return;
    const [next] = this.#waiting;
    if (next) {
      this.#waiting.delete(next);
      next.start();
    } else {
      this.#unanswered--;
    }
  }
}
