import type { WsConnAdapter } from '../adapter.ts';
import { GOING_AWAY } from '../close-code.ts';
import type { SocketDuplex } from '../socket-duplex.ts';

import type { Dialer } from './dialer.ts';

/** Opens connections to the target of the server, in one of the ways there are. */
export interface Opener {
  /**
   * Gives a connection, perhaps still connecting. Rejects with a Failure where none can be had, or when the signal fires.
   */
  open(signal: AbortSignal): Promise<SocketDuplex>;
  /** Makes what broke a connection off into a line for the user. */
  failure(error: unknown): Error;
  /** Ends everything that is open, in order; gives no connection any more. */
  end(): Promise<void>;
}

/** Opens a WebSocket for each connection. */
export class PlainOpener implements Opener {
  readonly #dialer: Dialer;
  readonly #open = new Set<WsConnAdapter>();

  constructor(dialer: Dialer) {
    this.#dialer = dialer;
  }

  async open(): Promise<WsConnAdapter> {
    const adapter = await this.#dialer.dial();
    this.#open.add(adapter);
    adapter.once('close', () => this.#open.delete(adapter));
    return adapter;
  }

  failure(error: unknown): Error {
    return this.#dialer.failure(error);
  }

  async end(): Promise<void> {
    await Promise.all([...this.#open].map((adapter) => adapter.close(GOING_AWAY)));
  }
}
