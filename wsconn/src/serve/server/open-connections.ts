import type { WsConnSocket } from 'ws-conn-adapter';

import { SERVICE_RESTART } from '../../console/codes.ts';
import { webSocketClosed } from '../../tunnel/close.ts';

/** What a client is told when the server stops. */
export const SHUTTING_DOWN = 'the server is shutting down: connect again';

/** Connections whose WebSocket has not closed yet. */
export class OpenConnections {
  /** Each with what asks it to end by itself. */
  readonly #open = new Map<WsConnSocket, () => void>();
  #cutting = false;
  #whenEmpty: () => void = () => undefined;

  /** Adds one, until its WebSocket has closed. */
  add(adapter: WsConnSocket): void {
    this.#open.set(adapter, () => undefined);
    void webSocketClosed(adapter).then(() => {
      this.#open.delete(adapter);
      if (this.#open.size === 0) this.#whenEmpty();
    });
  }

  /** Sets what asks a connection to end by itself when the server stops. */
  onDrain(adapter: WsConnSocket, askToEnd: () => void): void {
    if (this.#open.has(adapter)) this.#open.set(adapter, askToEnd);
  }

  /**
   * Lets connections finish for `ms`, then closes the rest with a reason. Returns how many those
   * were.
   */
  async drain(ms: number): Promise<number> {
    for (const askToEnd of this.#open.values()) askToEnd();
    await this.#empty(ms);
    this.#cutting = true;
    const left = [...this.#open.keys()];
    await Promise.all(left.map((adapter) => adapter.close(SERVICE_RESTART, SHUTTING_DOWN)));
    return left.length;
  }

  /** Whether it closes those that did not finish in time. */
  get cutting(): boolean {
    return this.#cutting;
  }

  /** Resolves when nothing is open any more, after `ms` at the latest. */
  async #empty(ms: number): Promise<void> {
    if (this.#open.size === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#whenEmpty = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
