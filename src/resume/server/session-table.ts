import { timingSafeEqual } from 'node:crypto';

import { WsConnError } from '../../base/errors.ts';
import type { WebSocketCarrier } from '../socket/carrier.ts';
import type { ResumeSettings } from '../socket/resume-options.ts';
import type { ResumedConnection } from '../socket/resumed-connection.ts';
import { stake } from '../socket/resume-errors.ts';
import { NO_CLOSE_FRAME } from '../../websocket/close-codes.ts';
import type { Hello } from '../wire/message.ts';
import type { RefusalReason, ResumeRequest } from '../wire/resume-header.ts';
import { ByteBudget } from './byte-budget.ts';
import { Offers } from './offers.ts';
import { keyOf } from './session-id.ts';

/** One session of a server, from the moment that its client has shown that it knows it. */
export interface Entry {
  readonly id: Buffer;
  /** Who the client is, where `authenticate` says so. */
  readonly identity: string | undefined;
  readonly connection: ResumedConnection;
  /**
   * Goes on over a WebSocket whose client has shown that it knows the session; returns what is
   * wrong with that, or null.
   */
  readonly join: (carrier: WebSocketCarrier, hello: Hello) => string | null;
}

/** A session without a WebSocket: what ends its time, and how it has lost the last one. */
interface Held {
  readonly timer: NodeJS.Timeout;
  readonly lost: Error;
}

/** What is left of a session that has ended: what its client is told if it comes back. */
interface Tombstone {
  readonly id: Buffer;
  readonly identity: string | undefined;
  readonly told: RefusalReason;
  readonly expires: number;
}

/** A handshake that asks for a session: which one, or why not. */
export type Claim =
  | { readonly entry: Entry }
  | { readonly refusal: RefusalReason }
  /** Somebody else's, and nothing that this client is to learn of. */
  | { readonly foreign: true };

/**
 * The sessions of a server: those that were offered, those with a WebSocket, those that are held
 * without one, and what is left of those that have ended. Held are at most `maxSessions`, for `holdTime`; the longest without
 * a WebSocket gives way.
 */
export class SessionTable {
  /** What all of them may keep. */
  readonly budget: ByteBudget;
  /** Those that have not begun. */
  readonly offers: Offers;
  readonly #settings: ResumeSettings;
  readonly #entries = new Map<string, Entry>();
  /** Those without a WebSocket, the longest first, and what ends their time. */
  readonly #held = new Map<Entry, Held>();
  readonly #tombstones = new Map<string, Tombstone>();
  #closed = false;

  constructor(settings: ResumeSettings) {
    this.#settings = settings;
    this.budget = new ByteBudget(settings.maxBytes, settings.window);
    this.offers = new Offers(settings);
  }

  get settings(): ResumeSettings {
    return this.#settings;
  }

  add(entry: Entry): void {
    this.#entries.set(keyOf(entry.id), entry);
  }

  /** Whether a session of this id is there, with a WebSocket or without. */
  has(id: Buffer): boolean {
    return this.#entries.has(keyOf(id));
  }

  /** Looks for the session that a handshake asks for. */
  claim({ id, received }: ResumeRequest, identity: string | undefined): Claim {
    const key = keyOf(id);
    const found = this.#entries.get(key) ?? this.#tombstones.get(key);
    if (!found || !timingSafeEqual(found.id, id)) return this.#claimOffer(id, identity);
    if (found.identity !== identity) return { foreign: true };
    if ('told' in found) {
      return { refusal: found.expires > performance.now() ? found.told : { reason: 'unknown' } };
    }
    const { session } = found.connection;
    if (received > session.out.sent) return { refusal: { reason: 'unsent' } };
    // With a WebSocket, acknowledgements may overtake the handshake; HELLO has the last word then.
    if (!session.attached && received < session.out.acked) return { refusal: { reason: 'gone' } };
    return { entry: found };
  }

  #claimOffer(id: Buffer, identity: string | undefined): Claim {
    const reason = this.offers.claim(id, identity) ?? 'unknown';
    return reason === 'foreign' ? { foreign: true } : { refusal: { reason } };
  }

  /** The session has lost its WebSocket, and waits for its client. */
  hold(entry: Entry, lost: Error): void {
    const { holdTime, maxSessions } = this.#settings;
    const timer = setTimeout(() => {
      this.#giveUp(
        entry,
        'ETIMEDOUT',
        `the client did not come back within ${String(holdTime)} ms`,
      );
    }, holdTime).unref();
    this.#held.set(entry, { timer, lost });
    if (this.#closed) {
      this.#giveUpClosed(entry);
      return;
    }
    if (this.#held.size > maxSessions) {
      const [longest] = this.#held.keys();
      const happened = `more than ${String(maxSessions)} connections wait for their clients (maxSessions), this one for longest`;
      if (longest) this.#giveUp(longest, 'ETIMEDOUT', happened);
    }
    entry.connection.memory.hold();
  }

  /** The session has a WebSocket again, or needs none. */
  release(entry: Entry): void {
    clearTimeout(this.#held.get(entry)?.timer);
    this.#held.delete(entry);
  }

  /** The session has ended; who asks for it within `holdTime` is told how. */
  bury(entry: Entry, told: RefusalReason): void {
    const key = keyOf(entry.id);
    if (!this.#entries.delete(key)) return;
    this.release(entry);
    const { id, identity } = entry;
    this.#dropExpired();
    const expires = performance.now() + this.#settings.holdTime;
    this.#tombstones.set(key, { id, identity, told, expires });
  }

  /** Nobody can come back any more: the server closes. */
  close(): void {
    this.#closed = true;
    for (const entry of this.#held.keys()) this.#giveUpClosed(entry);
  }

  #giveUpClosed(entry: Entry): void {
    this.#giveUp(entry, 'ECONNRESET', 'the server has closed');
  }

  #giveUp(entry: Entry, code: 'ECONNRESET' | 'ETIMEDOUT', happened: string): void {
    const cause = this.#held.get(entry)?.lost;
    const { connection } = entry;
    const { unackedBytes } = connection;
    // Before it fails, which would leave behind that it was broken off, and not why.
    this.bury(entry, { reason: 'aborted', close: { code: NO_CLOSE_FRAME, reason: happened } });
    connection.fail(new WsConnError(code, `${happened}${stake(unackedBytes)}`, { cause }));
  }

  /** Keeps no more of the ended ones than of those that are held. */
  #dropExpired(): void {
    const now = performance.now();
    for (const [key, { expires }] of this.#tombstones) {
      if (expires > now && this.#tombstones.size < this.#settings.maxSessions) return;
      this.#tombstones.delete(key);
    }
  }
}
