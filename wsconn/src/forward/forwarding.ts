import { randomBytes } from 'node:crypto';
import { EventEmitter } from 'node:events';
import type net from 'node:net';

import { join, resetSocket, type SocketDuplex, WsConnError } from 'ws-conn-adapter';

import { FORBIDDEN, UNAUTHORIZED } from '../console/codes.ts';
import { Failure } from '../console/failure.ts';
import type { Log } from '../log/log.ts';
import { deliverTaken } from '../tunnel/close.ts';
import { GiveUp } from '../tunnel/give-up.ts';
import { type Ended, ForwardedLog } from './forwarded-log.ts';
import type { LocalPort, LocalRequest } from './local-port.ts';
import { type Opened, type Opener, RefusedFailure } from './opener.ts';

/** What happens, for figures. */
export interface ForwardingEvents {
  /** A connection came; the name of its target, where its port has one. */
  opened: [socket: net.Socket, target: string];
  closed: [socket: net.Socket, failed: boolean];
}

/** Forwards TCP connections to targets of the server, or to what their programs ask for. */
export class Forwarding extends EventEmitter<ForwardingEvents> {
  readonly #opener: Opener;
  readonly #log: Log;
  /** Local connections, each with a promise that resolves when nothing is left of it here. */
  readonly #open = new Map<net.Socket, Promise<unknown>>();
  /** Those whose data goes on, each with the connection that it goes to. */
  readonly #joined = new Map<net.Socket, Pick<Opened, 'connection' | 'carrier'>>();
  /** Tells the connections of this run from those of others, in the log. */
  readonly #run = randomBytes(3).toString('hex');
  #count = 0;
  #ending = false;
  /** How many connections `end()` has cut. */
  #cut = 0;

  constructor(opener: Opener, log: Log) {
    super();
    this.#opener = opener;
    this.#log = log;
  }

  /** Forwards a connection to what its port is for, and logs what becomes of it. */
  accept(socket: net.Socket, port: LocalPort): void {
    const number = String(++this.#count);
    const log = new ForwardedLog(this.#log, `${this.#run}-${number}`, number, socket);
    log.opened();
    this.emit('opened', socket, port.target);
    let failed = false;
    const closed = new Promise((resolve) => socket.once('close', resolve));
    const forwarded = this.#forward(socket, port, log).then(
      (how) => {
        log.ended(how);
      },
      (error: unknown) => {
        failed = true;
        if (this.#ending) {
          this.#cut++;
          log.cut();
        } else log.failed(error, this.#opener.failure(error).message);
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
      joined.map(([socket, { connection, carrier }]) =>
        deliverTaken(
          connection,
          () => {
            endWithRest(socket, connection);
          },
          carrier,
        ),
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

  async #forward(socket: net.Socket, port: LocalPort, log: ForwardedLog): Promise<Ended> {
    const clientClosed = new GiveUp();
    socket.once('close', clientClosed.give);
    // join() reports its error; before that there is nobody whom it concerns.
    socket.on('error', clientClosed.give);
    const request = await readRequest(socket, port);
    if (!request) return {};
    log.wants(request.wish);
    let endedBy: Ended['endedBy'];
    socket.once('end', () => (endedBy ??= 'client'));
    const opened = await this.#connect(socket, request, clientClosed);
    const { connection, released } = opened;
    connection.once('end', () => (endedBy ??= 'target'));
    this.#joined.set(socket, opened);
    await join(socket, connection).finally(() => this.#joined.delete(socket));
    await released;
    return { endedBy };
  }

  /** Opens the connection that a local program wants, and tells it where there is none. */
  async #connect(socket: net.Socket, request: LocalRequest, clientClosed: GiveUp): Promise<Opened> {
    let opened: Opened | undefined;
    try {
      opened = await this.#opener.open(request.wish, clientClosed);
      if (opened.answered) await this.#answered(socket, request, opened, clientClosed);
      // A closed socket has no event left that join() could wait for.
      if (socket.destroyed) throw clientLeft();
      request.connected?.();
      return opened;
    } catch (error) {
      if (opened) giveUp(opened.connection);
      if (request.refused && !socket.destroyed) request.refused(errnoOf(error));
      else resetSocket(socket);
      throw clientClosed.given ? clientLeft() : error;
    }
  }

  /**
   * Waits until the server has answered. What a local program sends meanwhile, where it does not
   * wait itself, is sent along: it saves a round trip.
   */
  async #answered(
    socket: net.Socket,
    request: LocalRequest,
    opened: Opened,
    clientClosed: GiveUp,
  ): Promise<void> {
    const { connection, answered } = opened;
    // It fails the answer; later join() reports it.
    connection.on('error', () => undefined);
    const stopListening = clientClosed.onGiven(() => {
      giveUp(connection);
    });
    const early = request.connected === undefined;
    if (early) {
      this.#joined.set(socket, opened);
      socket.pipe(connection);
    }
    try {
      await answered;
    } finally {
      stopListening();
      if (early) {
        socket.unpipe(connection);
        this.#joined.delete(socket);
      }
    }
  }
}

/** Reads what a local program wants; ends its connection where that cannot be told. */
async function readRequest(socket: net.Socket, port: LocalPort): Promise<LocalRequest | undefined> {
  try {
    const request = await port.read(socket);
    if (!request) socket.destroy();
    return request;
  } catch (error) {
    // Unless it is being told why.
    if (!socket.writableEnded) resetSocket(socket);
    throw error;
  }
}

function clientLeft(): Failure {
  return new Failure('the local program has closed its connection');
}

/** Ends a connection that nobody uses. */
function giveUp(connection: SocketDuplex): void {
  connection.on('error', () => undefined);
  connection.resetAndDestroy();
}

/** Returns what happened, in an errno name, for a local program that can be told. */
function errnoOf(error: unknown): string | undefined {
  if (error instanceof RefusedFailure) return error.errno;
  const status = error instanceof WsConnError ? error.statusCode : undefined;
  return status === UNAUTHORIZED || status === FORBIDDEN ? 'EACCES' : undefined;
}

/** Writes what was read from a socket so far to the connection, and ends that. */
function endWithRest(socket: net.Socket, connection: SocketDuplex): void {
  socket.unpipe(connection);
  if (connection.destroyed || connection.writableEnded) return;
  for (let rest = socket.read() as unknown; rest !== null; rest = socket.read())
    connection.write(rest);
  connection.end();
}
