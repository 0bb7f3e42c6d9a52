import type { IncomingMessage } from 'node:http';

import type { ResumableSocket } from 'ws-conn-adapter';

import { lossOf } from '../console/loss.ts';
import type { Log } from '../log/log.ts';

/** Header by which a server says that it resumes. */
const RESUME_HEADER = 'wsconn-resume';

/**
 * Tells the user when the path to the server is lost, and when it is back: once for all connections
 * over it, since they are lost together.
 */
export class PathLog {
  readonly #log: Log;
  readonly #lost = new Set<ResumableSocket>();
  #since = 0;
  #warned = false;

  constructor(log: Log) {
    this.#log = log;
  }

  /** Watches a connection to its end. */
  watch(socket: ResumableSocket): void {
    socket.ws?.once('upgrade', ({ headers }: IncomingMessage) => {
      if (headers[RESUME_HEADER] === undefined) this.#warn();
    });
    socket.on('disconnect', (error) => {
      this.#lose(socket, lossOf(error));
    });
    socket.on('reconnect', () => {
      if (this.#lost.delete(socket) && this.#lost.size === 0) this.#back();
    });
    socket.once('close', () => {
      this.#lost.delete(socket);
    });
  }

  #lose(socket: ResumableSocket, reason: string): void {
    this.#lost.add(socket);
    if (this.#lost.size > 1) return;
    this.#since = performance.now();
    this.#log.info(`connection lost (${reason}); reconnecting …`, { event: 'disconnect', reason });
  }

  #back(): void {
    const seconds = (performance.now() - this.#since) / 1000;
    this.#log.info(`connection is back after ${seconds.toFixed(1)} s`, {
      event: 'reconnect',
      seconds: Math.round(seconds * 1000) / 1000,
    });
  }

  #warn(): void {
    if (this.#warned) return;
    this.#warned = true;
    this.#log.warn(
      'the server does not resume connections, so --resume does nothing: it needs a newer wsconn serve, with --resume-hold',
    );
  }
}
