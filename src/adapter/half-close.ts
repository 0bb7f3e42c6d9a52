import type { IncomingHttpHeaders } from 'node:http';

import type { WebSocket } from 'ws';

import { isolate } from '../base/errors.ts';
import { namesHalfClose } from '../websocket/features-header.ts';
import { rawSocket } from '../websocket/raw-socket.ts';
import type { AdapterSettings } from './options.ts';

type HalfCloseSettings = Pick<AdapterSettings, 'halfClose' | 'halfCloseOffered'>;

/**
 * - `off`: an empty message means nothing, and one end ends both directions.
 * - `offered`: this server has answered an offer of its client, and does not know yet whether the
 *   answer got through.
 * - `missed`: the client has begun without the sign, so the answer seems not to have got through.
 * - `agreed`: an empty message is the FIN of one direction.
 */
type Agreement = 'off' | 'offered' | 'missed' | 'agreed';

/** Who is told that no sign is awaited any more. */
export interface HalfCloseHost {
  onSignSettled(): void;
}

/** Payload of the unsolicited pong by which a client shows that it saw the answer to its offer. */
const SIGN = Buffer.from('half-close');
/**
 * The FIN of one direction: other peers skip an empty message, which means nothing in a stream of
 * bytes.
 */
const FIN = Buffer.alloc(0);

/**
 * Keeps track of whether the two ends close halves, and which FINs have passed.
 *
 * Middleboxes that end WebSockets themselves pass the client's offer on and drop the server's
 * answer. So a server takes half close for agreed only when the client has shown that it saw the
 * answer, with a pong before its first data. One that has to end before it knows asks with a ping:
 * the pong comes behind the sign, or without it.
 */
export class HalfClose {
  readonly #ws: WebSocket;
  readonly #host: HalfCloseHost;
  readonly #byHand: boolean;
  #agreement: Agreement = 'off';
  #signDue = false;
  #finSent = false;
  #finReceived = false;
  /** Waits to hear whether halves are closed. */
  #whenKnown: ((agreed: boolean) => void) | null = null;
  /** Waits for the FIN of this direction to leave. */
  #whenFinSent: (() => void) | null = null;

  /** @param settings - whether it is agreed or off by hand, or else what the client has offered */
  constructor(
    ws: WebSocket,
    { halfClose, halfCloseOffered }: HalfCloseSettings,
    host: HalfCloseHost,
  ) {
    this.#ws = ws;
    this.#host = host;
    this.#byHand = halfClose !== undefined;
    if (halfClose) this.#agreement = 'agreed';
    else if (!this.#byHand && halfCloseOffered) this.#agreement = 'offered';
  }

  /** Whether halves are closed, so that the peer ends its direction by a FIN. */
  get agreed(): boolean {
    return this.#agreement === 'agreed';
  }

  /** Whether the peer has ended its direction. */
  get finReceived(): boolean {
    return this.#finReceived;
  }

  /** Whether both directions have had their FIN. */
  get bothEnded(): boolean {
    return this.#finSent && this.#finReceived;
  }

  /**
   * The server has accepted this client. Where it has answered the offer, the client is to show
   * that it saw the answer.
   */
  onUpgrade(headers: IncomingHttpHeaders): void {
    if (this.#byHand || !namesHalfClose(headers)) return;
    this.#agreement = 'agreed';
    this.#signDue = true;
  }

  /**
   * Shows the server that this client saw its answer, before anything else is sent, and together
   * with what else leaves in this turn of the event loop.
   */
  confirm(): void {
    if (!this.#signDue) return;
    const raw = rawSocket(this.#ws);
    raw?.cork();
    // An error here is the WebSocket's own, reported by its 'close'.
    this.#ws.pong(SIGN, undefined, () => undefined);
    setImmediate(() => raw?.uncork());
  }

  /** Data came: a client sends the sign before it. */
  onData(): void {
    if (this.#agreement === 'offered') this.#settle('missed');
  }

  /** An empty message came. Returns whether it is the FIN of the peer. */
  onEmptyMessage(): boolean {
    if (this.#agreement === 'off' || this.#finReceived) return false;
    // Nobody else sends one, so it is the sign as well, for a client whose control frames do not
    // get through.
    this.#finReceived = true;
    this.#settle('agreed');
    return true;
  }

  /** Calls back when it is known whether halves are closed: at once, or after one round trip. */
  whenKnown(callback: (agreed: boolean) => void): void {
    if (this.#agreement !== 'offered') {
      callback(this.#agreement === 'agreed');
      return;
    }
    this.#whenKnown = callback;
    this.#ws.ping(undefined, undefined, () => undefined); // As above.
  }

  /** Stops waiting for the sign: nobody wants to close a half any more. */
  giveUp(): void {
    if (this.#agreement === 'offered') this.#settle('missed');
  }

  /**
   * Sends the FIN of this direction; `whenSent` comes when it has left, or when the WebSocket has
   * closed.
   */
  sendFin(whenSent: () => void): void {
    this.#finSent = true;
    this.#whenFinSent = whenSent;
    // Uncompressed, which is at once: the Close frame of a destroy() that follows must not overtake
    // it.
    this.#ws.send(FIN, { compress: false }, (error) => {
      // With an error the WebSocket closes, and then it is known which.
      if (!error) this.#onFinSent();
    });
  }

  /** The peer has closed the WebSocket, and both halves with it. */
  onPeerGone(): void {
    this.giveUp();
    this.#onFinSent();
  }

  /** Waits for nothing any more. */
  release(): void {
    this.#whenKnown = this.#whenFinSent = null;
  }

  /** A pong came: the sign, or the answer to a ping, which comes behind the sign. */
  onPong(payload: Buffer): void {
    if (this.#agreement !== 'offered') return;
    isolate(() => {
      this.#settle(payload.equals(SIGN) ? 'agreed' : 'missed');
    });
  }

  #onFinSent(): void {
    const whenFinSent = this.#whenFinSent;
    this.#whenFinSent = null;
    whenFinSent?.();
  }

  #settle(agreement: 'agreed' | 'missed'): void {
    this.#agreement = agreement;
    this.#host.onSignSettled();
    const whenKnown = this.#whenKnown;
    this.#whenKnown = null;
    whenKnown?.(agreement === 'agreed');
  }
}
