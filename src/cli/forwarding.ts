import type net from 'node:net';

import { join } from '../join.ts';

import { Failure } from './failure.ts';
import { showHostPort } from './host-port.ts';
import type { Log } from './log.ts';
import type { Opener } from './opener.ts';

/** Leads TCP connections to the target of the server. */
export class Forwarding {
  readonly #opener: Opener;
  readonly #log: Log;
  readonly #open = new Set<net.Socket>();
  #count = 0;
  #ending = false;

  constructor(opener: Opener, log: Log) {
    this.#opener = opener;
    this.#log = log;
  }

  /** Takes a connection over; what becomes of it is logged. */
  take(socket: net.Socket): void {
    const name = `connection ${String(++this.#count)}`;
    const { remoteAddress, remotePort } = socket;
    const from = showHostPort({ host: remoteAddress ?? 'unknown', port: remotePort ?? 0 });
    this.#log.detail(`${name} from ${from} opened`);
    this.#open.add(socket);
    socket.once('close', () => this.#open.delete(socket));
    this.#lead(socket).then(
      () => {
        const bytes = `${String(socket.bytesRead)} bytes out, ${String(socket.bytesWritten)} bytes in`;
        this.#log.detail(`${name} ended: ${bytes}`);
      },
      (error: unknown) => {
        if (this.#ending) return;
        this.#log.info(`${name} from ${from} broke off: ${this.#opener.failure(error).message}`);
        this.#log.stack(error);
      },
    );
  }

  /** Ends what is open, and gives how many there were. */
  async end(): Promise<number> {
    this.#ending = true;
    const left = this.#open.size;
    await this.#opener.end();
    for (const socket of this.#open) socket.resetAndDestroy();
    return left;
  }

  async #lead(socket: net.Socket): Promise<void> {
    const gone = new AbortController();
    const leave = (): void => {
      gone.abort(new Failure('the local program has gone'));
    };
    socket.once('close', leave);
    // Its error is the join's to report, or of no interest before there is anything to join.
    socket.on('error', leave);
    let connection;
    try {
      connection = await this.#opener.open(gone.signal);
    } catch (error) {
      socket.resetAndDestroy();
      throw error;
    }
    // From a closed socket join() would not hear any more.
    if (socket.destroyed) connection.resetAndDestroy();
    else await join(socket, connection);
  }
}
