import type { SocketDuplex, WsConnAdapter } from 'ws-conn-adapter';

import type { Dials } from '../dial/live-dialer.ts';
import { closeDelivered, webSocketClosed } from '../tunnel/close.ts';

/** A connection to the target of the server, perhaps still connecting. */
export interface Opened {
  readonly connection: SocketDuplex;
  /** Resolves when nothing of it is left, which may be later than its 'close'. */
  readonly released: Promise<void>;
}

/** Opens connections to the target of the server, in one of the ways there are. */
export interface Opener {
  /** Opens a connection. Rejects with a Failure where it cannot, or when the signal fires. */
  open(signal: AbortSignal): Promise<Opened>;
  /** Explains to the user why a connection failed. */
  failure(error: unknown): Error;
  /**
   * Ends everything that is open, in order where all was delivered, and opens no connection any
   * more. Returns how many had closed before and lingered for so long that they were cut.
   */
  end(): Promise<number>;
}

/** Opens a WebSocket for each connection. */
export class PlainOpener implements Opener {
  readonly #dialer: Dials;
  readonly #open = new Set<WsConnAdapter>();

  constructor(dialer: Dials) {
    this.#dialer = dialer;
  }

  async open(): Promise<Opened> {
    const adapter = await this.#dialer.dial();
    this.#open.add(adapter);
    const released = webSocketClosed(adapter);
    void released.then(() => this.#open.delete(adapter));
    return { connection: adapter, released };
  }

  failure(error: unknown): Error {
    return this.#dialer.failure(error);
  }

  async end(): Promise<number> {
    const lateOnes = [...this.#open].map(async (adapter) => {
      const lingered = adapter.closed;
      const error = await closeDelivered(adapter);
      return lingered && error !== null;
    });
    return (await Promise.all(lateOnes)).filter(Boolean).length;
  }
}
