import type net from 'node:net';

import { join, resetSocket, type SocketDuplex } from 'ws-conn-adapter';

import { Failure } from '../console/failure.ts';
import { showHostPort } from '../console/host-port.ts';
import type { Log } from '../console/log.ts';
import type { Opened, Opener } from './opener.ts';
import { handOn } from '../tunnel/close.ts';

/** Leads TCP connections to the target of the server. */
export class Forwarding {
  readonly #opener: Opener;
  readonly #log: Log;
  /**
   * Local connections that are open, or of which something is left on the way to the server; each
   * resolves when nothing is.
   */
  readonly #open = new Map<net.Socket, Promise<unknown>>();
  /** Those that are joined, each with what it is joined to. */
  readonly #joined = new Map<net.Socket, SocketDuplex>();
  #count = 0;
  #ending = false;
  /** How many were open when the end came, and were cut by it. */
  #cut = 0;

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
    const closed = new Promise((resolve) => socket.once('close', resolve));
    const led = this.#lead(socket).then(
      () => {
        const bytes = `${String(socket.bytesRead)} bytes out, ${String(socket.bytesWritten)} bytes in`;
        this.#log.detail(`${name} ended: ${bytes}`);
      },
      (error: unknown) => {
        if (this.#ending) {
          this.#cut++;
          return;
        }
        this.#log.info(`${name} from ${from} broke off: ${this.#opener.failure(error).message}`);
        this.#log.stack(error);
      },
    );
    const over = Promise.all([led, closed]).then(() => this.#open.delete(socket));
    this.#open.set(socket, over);
  }

  /** Delivers what was taken from local programs, ends what is open, and gives how many it cut. */
  async end(): Promise<number> {
    this.#ending = true;
    const joined = [...this.#joined];
    await Promise.all(
      joined.map(([socket, connection]) =>
        handOn(connection, () => {
          endWithRest(socket, connection);
        }),
      ),
    );
    const late = await this.#opener.end();
    const left = [...this.#open];
    for (const [socket] of left) {
      resetSocket(socket);
    }
    await Promise.all(left.map(([, over]) => over));
    return this.#cut + late;
  }

  async #lead(socket: net.Socket): Promise<void> {
    const left = new AbortController();
    const leave = (): void => {
      left.abort(new Failure('the local program has gone'));
    };
    socket.once('close', leave);
    // Its error is the join's to report, or of no interest before there is anything to join.
    socket.on('error', leave);
    let opened: Opened;
    try {
      opened = await this.#opener.open(left.signal);
    } catch (error) {
      resetSocket(socket);
      throw error;
    }
    const { connection, gone } = opened;
    // From a closed socket join() would not hear any more.
    if (socket.destroyed) {
      connection.resetAndDestroy();
    } else {
      this.#joined.set(socket, connection);
      await join(socket, connection).finally(() => this.#joined.delete(socket));
    }
    await gone;
  }
}

/**
 * Ends what a socket is piped into with what was read from the socket so far; what still comes
 * there is left to its reset.
 */
function endWithRest(socket: net.Socket, connection: SocketDuplex): void {
  socket.unpipe(connection);
  if (connection.destroyed || connection.writableEnded) return;
  for (let rest = socket.read() as unknown; rest !== null; rest = socket.read())
    connection.write(rest);
  connection.end();
}
