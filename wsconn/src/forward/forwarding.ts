import { EventEmitter } from 'node:events';
import type net from 'node:net';

import { join, resetSocket, type SocketDuplex } from 'ws-conn-adapter';

import { Failure } from '../console/failure.ts';
import { showHostPort } from '../console/place.ts';
import type { Log } from '../console/log.ts';
import { deliverTaken } from '../tunnel/close.ts';
import type { Opened, Opener } from './opener.ts';

/** What happens, for figures. */
export interface ForwardingEvents {
  opened: [socket: net.Socket];
  closed: [socket: net.Socket, failed: boolean];
}

/** Forwards TCP connections to the target of the server. */
export class Forwarding extends EventEmitter<ForwardingEvents> {
  readonly #opener: Opener;
  readonly #log: Log;
  /** Local connections, each with a promise that resolves when nothing is left of it here. */
  readonly #open = new Map<net.Socket, Promise<unknown>>();
  /** Those that are joined, each with the connection that it is joined to. */
  readonly #joined = new Map<net.Socket, SocketDuplex>();
  #count = 0;
  #ending = false;
  /** How many connections `end()` has cut. */
  #cut = 0;

  constructor(opener: Opener, log: Log) {
    super();
    this.#opener = opener;
    this.#log = log;
  }

  /** Forwards a connection, and logs what becomes of it. */
  accept(socket: net.Socket): void {
    const name = `connection ${String(++this.#count)}`;
    const { remoteAddress, remotePort } = socket;
    const from = showHostPort({ host: remoteAddress ?? 'unknown', port: remotePort ?? 0 });
    this.#log.debug(`${name} from ${from} opened`);
    this.emit('opened', socket);
    let failed = false;
    const closed = new Promise((resolve) => socket.once('close', resolve));
    const forwarded = this.#forward(socket).then(
      () => {
        const bytes = `${String(socket.bytesRead)} bytes out, ${String(socket.bytesWritten)} bytes in`;
        this.#log.debug(`${name} ended: ${bytes}`);
      },
      (error: unknown) => {
        failed = true;
        if (this.#ending) {
          this.#cut++;
          return;
        }
        this.#log.info(`${name} from ${from} failed: ${this.#opener.failure(error).message}`);
        this.#log.stack(error);
      },
    );
    const done = Promise.all([forwarded, closed]).then(() => {
      this.#open.delete(socket);
      this.emit('closed', socket, failed);
    });
    this.#open.set(socket, done);
  }

  /**
   * Delivers what was taken from local programs, then ends what is open. Returns how many
   * connections it cut.
   */
  async end(): Promise<number> {
    this.#ending = true;
    const joined = [...this.#joined];
    await Promise.all(
      joined.map(([socket, connection]) =>
        deliverTaken(connection, () => {
          endWithRest(socket, connection);
        }),
      ),
    );
    const late = await this.#opener.end();
    const left = [...this.#open];
    for (const [socket] of left) {
      resetSocket(socket);
    }
    await Promise.all(left.map(([, done]) => done));
    return this.#cut + late;
  }

  async #forward(socket: net.Socket): Promise<void> {
    const clientClosed = new AbortController();
    const giveUp = (): void => {
      clientClosed.abort(new Failure('the local program has closed its connection'));
    };
    socket.once('close', giveUp);
    // join() reports its error; before that there is nobody whom it concerns.
    socket.on('error', giveUp);
    let opened: Opened;
    try {
      opened = await this.#opener.open(clientClosed.signal);
    } catch (error) {
      resetSocket(socket);
      throw error;
    }
    const { connection, released } = opened;
    // A closed socket has no event left that join() could wait for.
    if (socket.destroyed) {
      connection.resetAndDestroy();
    } else {
      this.#joined.set(socket, connection);
      await join(socket, connection).finally(() => this.#joined.delete(socket));
    }
    await released;
  }
}

/** Writes what was read from a socket so far to the connection, and ends that. */
function endWithRest(socket: net.Socket, connection: SocketDuplex): void {
  socket.unpipe(connection);
  if (connection.destroyed || connection.writableEnded) return;
  for (let rest = socket.read() as unknown; rest !== null; rest = socket.read())
    connection.write(rest);
  connection.end();
}
