import { Transit } from './transit.ts';

export interface Ping {
  /** Less than 2^31. */
  readonly id: number;
  /** Bytes written before it; undefined where nobody counts them. */
  readonly position: number | undefined;
  readonly placedAt: number;
  /** When it left the send queue. */
  sentAt: number | undefined;
  /** When it has reached the peer at the latest; infinite while that cannot be said. */
  reachesAt: number;
}

/**
 * Pings that are remembered. A burst has no more of them, and of a peer that answers none the last
 * ones are enough.
 */
const MOST = 256;

const ID_LIMIT = 2 ** 31;

/** Shared by all who wait for none, as most do: an array of each would keep its memory. */
const NONE: readonly Ping[] = [];

/**
 * The pings that were sent and not answered, in the order in which they were written, and when each
 * reaches the peer.
 */
export class UnansweredPings {
  readonly #transit: Transit;
  #pings = NONE;
  #lastId = 0;
  /** Bytes written before the last ping. */
  #asked = 0;

  constructor(now: number) {
    this.#transit = new Transit(now);
  }

  get last(): Ping | undefined {
    return this.#pings.at(-1);
  }

  get full(): boolean {
    return this.#pings.length >= MOST;
  }

  /** The first one that may have reached the peer after that time. */
  firstAfter(time: number): Ping | undefined {
    return this.#pings.find(({ reachesAt }) => reachesAt >= time);
  }

  /**
   * Bytes after the last ping that have not arrived yet on the slowest link, of those written so
   * far.
   */
  unasked(written: number, queued: number, now: number): number {
    this.#transit.onWritten(written, queued, now);
    return written - Math.max(this.#asked, this.#transit.arrived(now));
  }

  /** Records a ping that is written now. */
  add(written: number | undefined, queued: number, now: number): Ping {
    let reachesAt = Infinity;
    if (written !== undefined) {
      this.#transit.onWritten(written, queued, now);
      this.#asked = written;
      reachesAt = this.#transit.arrivalOf(written);
    }
    this.#lastId = (this.#lastId + 1) % ID_LIMIT;
    const ping = {
      id: this.#lastId,
      position: written,
      placedAt: now,
      sentAt: undefined,
      reachesAt,
    };
    // concat() makes an array of just that length.
    this.#pings = (this.full ? this.#pings.slice(1) : this.#pings).concat(ping);
    return ping;
  }

  /** Records that a ping has left the send queue: it reaches the peer no earlier than that. */
  onSent(ping: Ping, now: number): void {
    ping.sentAt = now;
    ping.reachesAt = ping.position === undefined ? now : Math.max(ping.reachesAt, now);
  }

  /**
   * Records an answer, which answers the pings before it too. Returns the round trip, or undefined
   * if it was no ping of ours.
   */
  onAnswer(id: number, now: number): number | undefined {
    const index = this.#pings.findIndex((ping) => ping.id === id);
    const ping = this.#pings[index];
    if (!ping) return undefined;
    this.#pings = index + 1 === this.#pings.length ? NONE : this.#pings.slice(index + 1);
    if (ping.position !== undefined) this.#transit.onArrived(ping.position, now);
    const [next] = this.#pings;
    if (next?.position !== undefined) next.reachesAt = this.#transit.arrivalOf(next.position);
    return now - (ping.sentAt ?? ping.placedAt);
  }
}
