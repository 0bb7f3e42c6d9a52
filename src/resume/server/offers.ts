import { timingSafeEqual } from 'node:crypto';

import { keyOf, makeId } from './session-id.ts';

/** What bounds the offers that are remembered without their WebSocket, and what their ids are like. */
export interface OfferLimits {
  /** How many. */
  readonly maxSessions: number;
  /** For how many ms. */
  readonly holdTime: number;
  /** What each id begins with. */
  readonly idFirstByte?: number | undefined;
}

/** An id that a client was told, and that no HELLO has come for. */
export interface Offer {
  readonly id: Buffer;
  readonly identity: string | undefined;
}

interface Remembered extends Offer {
  /** Ends the WebSocket over which HELLO may still come. */
  readonly revoke: () => void;
  /** When it is forgotten, once it has no WebSocket; on the clock of performance.now(). */
  readonly expires: number;
}

/**
 * The sessions that were offered and have not begun. Nothing of them is held, but that they were
 * offered is remembered when the WebSocket is cut: their client may have seen the offer. It cannot
 * know whether its HELLO has come, and may begin anew only where it has not, or bytes would come
 * twice.
 */
export class Offers {
  readonly #limits: OfferLimits;
  readonly #open = new Map<string, Remembered>();
  /** Those whose WebSocket is gone, the longest first. */
  readonly #cut = new Map<string, Remembered>();

  constructor(limits: OfferLimits) {
    this.#limits = limits;
  }

  /** Makes an offer; it counts from `open()` on. */
  make(identity: string | undefined): Offer {
    return { id: makeId(this.#limits.idFirstByte), identity };
  }

  /**
   * The offer has a WebSocket, over which its HELLO may come.
   * @param revoke - ends that WebSocket, without another look at what it brings
   */
  open(offer: Offer, revoke: () => void): void {
    this.#open.set(keyOf(offer.id), { ...offer, revoke, expires: Infinity });
  }

  /** The session has begun, or the client has shown that it knows nothing of the offer. */
  settle({ id }: Offer): void {
    this.#open.delete(keyOf(id));
  }

  /** The WebSocket is gone without a sign of the client. */
  cut({ id }: Offer): void {
    const key = keyOf(id);
    const offer = this.#open.get(key);
    if (!offer) return;
    this.#open.delete(key);
    this.#dropOld();
    const expires = performance.now() + this.#limits.holdTime;
    this.#cut.set(key, { ...offer, revoke: () => undefined, expires });
  }

  /**
   * A client asks for the session: null where there was no such offer. From now on the session
   * cannot begin any more.
   */
  claim(id: Buffer, identity: string | undefined): 'unbegun' | 'foreign' | null {
    const key = keyOf(id);
    const offer = this.#open.get(key) ?? this.#cut.get(key);
    if (!offer || !timingSafeEqual(offer.id, id) || offer.expires < performance.now()) return null;
    if (offer.identity !== identity) return 'foreign';
    offer.revoke();
    return 'unbegun';
  }

  #dropOld(): void {
    const now = performance.now();
    for (const [key, { expires }] of this.#cut) {
      if (expires > now && this.#cut.size < this.#limits.maxSessions) return;
      this.#cut.delete(key);
    }
  }
}
