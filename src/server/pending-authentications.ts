import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

import { askAuthenticate, type Authenticate, type Rejection } from './authentication.ts';
import { UNAVAILABLE } from './reject-upgrade.ts';

/** Handshakes that wait for the answer of `authenticate`. */
export class PendingAuthentications {
  readonly #timeout: number;
  /** What rejects each. */
  readonly #pending = new Set<() => void>();

  /** @param timeout - time in ms that `authenticate` may take */
  constructor(timeout: number) {
    this.#timeout = timeout;
  }

  get size(): number {
    return this.#pending.size;
  }

  /**
   * Asks `authenticate`, and calls `onAnswer` once: with null, and who it is, where the request may
   * pass. Never
   * when the client has closed its connection before.
   */
  add(
    authenticate: Authenticate,
    request: IncomingMessage,
    socket: Duplex,
    onAnswer: (rejection: Rejection | null, identity?: string) => void,
  ): void {
    let withdraw = (): void => undefined;
    const settle = (): void => {
      withdraw();
      this.#pending.delete(reject);
      socket.off('close', settle);
      socket.off('error', onError);
    };
    const reject = (): void => {
      settle();
      onAnswer({ status: UNAVAILABLE });
    };
    // An error of the client's socket is its own affair, but it must not become an uncaught one.
    const onError = (): void => {
      socket.destroy();
    };
    this.#pending.add(reject);
    socket.on('close', settle);
    socket.on('error', onError);
    withdraw = askAuthenticate(authenticate, request, this.#timeout, (rejection, identity) => {
      settle();
      onAnswer(rejection, identity);
    });
    // authenticate() itself may have closed the server, which rejects all.
    if (!this.#pending.has(reject)) withdraw();
  }

  /** Rejects all that wait, with 503. */
  rejectAll(): void {
    for (const reject of this.#pending) reject();
  }
}
