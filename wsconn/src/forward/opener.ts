import type { SocketDuplex, WsConnAdapter } from 'ws-conn-adapter';

import type { Dialer } from '../dial/dialer.ts';
import { gone } from '../tunnel/gone.ts';
import { closeStopped } from '../tunnel/close.ts';

/** A connection to the target of the server, perhaps still connecting. */
export interface Opened {
  readonly connection: SocketDuplex;
  /** Resolves when nothing of it is left, which may be later than its 'close'. */
  readonly gone: Promise<void>;
}

/** Opens connections to the target of the server, in one of the ways there are. */
export interface Opener {
  /**
   * Gives a connection. Rejects with a Failure where none can be had, or when the signal fires.
   */
  open(signal: AbortSignal): Promise<Opened>;
  /** Makes what broke a connection off into a line for the user. */
  failure(error: unknown): Error;
  /**
   * Ends everything that is open, in order where all was handed on; gives no connection any more.
   * Gives how many had closed before, and lingered for so long that they were cut.
   */
  end(): Promise<number>;
}

/** Opens a WebSocket for each connection. */
export class PlainOpener implements Opener {
  readonly #dialer: Dialer;
  readonly #open = new Set<WsConnAdapter>();

  constructor(dialer: Dialer) {
    this.#dialer = dialer;
  }

  async open(): Promise<Opened> {
    const adapter = await this.#dialer.dial();
    this.#open.add(adapter);
    const left = gone(adapter);
    void left.then(() => this.#open.delete(adapter));
    return { connection: adapter, gone: left };
  }

  failure(error: unknown): Error {
    return this.#dialer.failure(error);
  }

  async end(): Promise<number> {
    const lateOnes = [...this.#open].map(async (adapter) => {
      const lingered = adapter.closed;
      const error = await closeStopped(adapter);
      return lingered && error !== null;
    });
    return (await Promise.all(lateOnes)).filter(Boolean).length;
  }
}
