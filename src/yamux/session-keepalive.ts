import { WsConnError } from '../errors.ts';
import { Deadline } from './deadline.ts';

export interface SessionKeepaliveEvents {
  /** A ping is to be sent; `whenSent` is to be called when the transport has got rid of it. */
  readonly onPing: (whenSent: () => void) => void;
  /** The peer gives no sign of life: `ETIMEDOUT`. */
  readonly onDead: (error: WsConnError) => void;
}

/**
 * - `watching`: the next look is due.
 * - `leaving`: a ping waits for the transport.
 * - `listening`: the ping has left, a sign of life is due.
 */
type Phase = 'watching' | 'leaving' | 'listening';

/**
 * Pings a peer that is silent, and finds out when it is gone. Any byte is life, not only the answer. The clock starts
 * when the ping has left, so that a full pipe never looks like a dead peer; a pipe in which nothing moves does.
 */
export class SessionKeepalive {
  readonly #interval: number;
  readonly #timeout: number;
  readonly #events: SessionKeepaliveEvents;
  readonly #deadline = new Deadline(() => {
    this.#onDue();
  });
  #phase: Phase = 'watching';
  /** Whether bytes came and went since the last look. */
  #received = false;
  #sent = false;

  /** Starts at once. @param interval - time in ms between two looks @param timeout - time in ms that the peer has */
  constructor(interval: number, timeout: number, events: SessionKeepaliveEvents) {
    this.#interval = interval;
    this.#timeout = timeout;
    this.#events = events;
    this.#watch();
  }

  stop(): void {
    this.#deadline.stop();
  }

  onReceived(): void {
    this.#received = true;
  }

  onSent(): void {
    this.#sent = true;
    if (this.#phase === 'leaving') this.#deadline.refresh();
  }

  #watch(): void {
    this.#phase = 'watching';
    this.#received = this.#sent = false;
    this.#deadline.start(this.#interval);
  }

  #onDue(): void {
    if (this.#phase === 'watching') {
      // What goes both ways keeps every box on the way awake, and shows that the peer lives.
      if (this.#received && this.#sent) this.#watch();
      else this.#ping();
    } else if (this.#phase === 'listening' && this.#received) {
      this.#watch();
    } else {
      const silence = this.#phase === 'leaving' ? 'nothing could be sent' : 'no byte came in after a ping';
      const happened = `${silence} for ${String(this.#timeout)} ms; the peer is taken for dead`;
      this.#events.onDead(new WsConnError('ETIMEDOUT', happened));
    }
  }

  #ping(): void {
    this.#phase = 'leaving';
    this.#deadline.start(this.#timeout);
    this.#events.onPing(() => {
      if (this.#phase !== 'leaving') return;
      this.#phase = 'listening';
      this.#received = false;
      this.#deadline.start(this.#timeout);
    });
  }
}
