import type { Duplex } from 'node:stream';

import type { WsConnError } from '../../base/errors.ts';
import { Liveness } from '../../keepalive/liveness.ts';
import type { KeepaliveSettings } from '../../keepalive/options.ts';

/** What a keepalive asks of its session, and reports to it. */
export interface SessionKeepaliveEvents {
  /** A ping is to be sent; `whenSent` is to be called when the transport has got rid of it. */
  readonly onPing: (id: number, whenSent: () => void) => void;
  /** The peer gives no sign of life: `ETIMEDOUT`. */
  readonly onDead: (error: WsConnError) => void;
}

/** Pings with a number from here on are the keepalive's; those below are left to `ping()`. */
export const FIRST_KEEPALIVE_ID = 0x8000_0000;

/**
 * Pings a silent peer and reports when it is dead, by the rule that the keepalive of a WebSocket
 * follows.
 */
export class SessionKeepalive {
  readonly #liveness: Liveness;
  #written = 0;

  /** Starts at once. */
  constructor(transport: Duplex, settings: KeepaliveSettings, events: SessionKeepaliveEvents) {
    const connection = {
      written: () => this.#written,
      queued: () => transport.writableLength,
      mayPing: () => true,
      ping: (id: number, whenSent: () => void) => {
        events.onPing(FIRST_KEEPALIVE_ID + id, whenSent);
      },
      showLife: () => undefined, // A session never pauses its transport.
      onPong: () => undefined,
      onDead: events.onDead,
    };
    this.#liveness = new Liveness(connection, settings.interval, settings.pongTimeout);
    // The transport keeps the process alive, where it should be.
    this.#liveness.unref();
    this.#liveness.start();
  }

  stop(): void {
    this.#liveness.stop();
  }

  onReceived(bytes: number): void {
    this.#liveness.onReceived(bytes);
  }

  /** The transport was given bytes. */
  onWritten(bytes: number): void {
    this.#written += bytes;
    this.#liveness.onWritten();
  }

  /** The answer to a ping came, perhaps one of ours. */
  onAnswer(id: number): void {
    if (id >= FIRST_KEEPALIVE_ID) this.#liveness.onPong(id - FIRST_KEEPALIVE_ID);
  }
}
