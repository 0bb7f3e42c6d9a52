import { EventEmitter } from 'node:events';
import type http from 'node:http';
import type { IncomingMessage } from 'node:http';
import type net from 'node:net';
import type { Duplex } from 'node:stream';

import type { WebSocketServer } from 'ws';

import { WsConnAdapter } from '../adapter/adapter.ts';
import type { WsConnSocket } from '../adapter/wsconn-socket.ts';
import { invalidState, WsConnError } from '../base/errors.ts';
import { GOING_AWAY } from '../websocket/close-codes.ts';
import { namesHalfClose } from '../websocket/features-header.ts';
import { rejectionOfForm } from './ambiguous-request.ts';
import type { Rejection } from './authentication.ts';
import { Connections } from './connections.ts';
import { hasPath, HttpBinding } from './http-binding.ts';
import { makeHttpServer } from './http-server.ts';
import {
  checkServerOptions,
  type CreateServerOptions,
  type ResumableServerOptions,
  type ServerSettings,
} from './options.ts';
import { rejectionOfOrigin } from './origins.ts';
import { PendingAuthentications } from './pending-authentications.ts';
import type { Dropped } from './limits/pending-connections.ts';
import {
  BAD_REQUEST,
  METHOD_NOT_ALLOWED,
  NOT_FOUND,
  rejectUpgrade,
  UNAVAILABLE,
} from './reject-upgrade.ts';
import { Resumption } from './resumption.ts';
import { makeWebSocketServer } from './websocket-server.ts';

export interface WsConnServerEvents<Connection extends WsConnSocket = WsConnAdapter> {
  /** A WebSocket was opened; its adapter, and the request that asked for it. */
  connection: [adapter: Connection, request: IncomingMessage];
  /** A handshake was refused: with which HTTP status and, where something went wrong, why. */
  refused: [request: IncomingMessage, status: number, cause: unknown];
  /**
   * A TCP connection that had sent no request gave way to a newer one (`maxPendingConnections`);
   * its address.
   */
  drop: [dropped: Dropped];
  listening: [];
  /** The server could not listen, or its HTTP server failed. */
  error: [error: Error];
  close: [];
}

/**
 * Accepts WebSockets and emits their adapters, as `net.Server` does with TCP connections. Made by
 * `createServer()`.
 */
export class WsConnServer<Connection extends WsConnSocket = WsConnAdapter> extends EventEmitter<
  WsConnServerEvents<Connection>
> {
  /**
   * Connections that may be there or in their handshake at once, those held without a WebSocket
   * among them; those whose stream is done give way to new ones.
   */
  maxConnections: number;
  readonly #settings: ServerSettings;
  readonly #wss: WebSocketServer;
  readonly #connections = new Connections();
  readonly #authentications: PendingAuthentications;
  readonly #resumption: Resumption | undefined;
  #binding: HttpBinding | null = null;
  #closing: Promise<void> | null = null;

  constructor(options: CreateServerOptions | ResumableServerOptions) {
    super();
    const settings = checkServerOptions(options);
    this.#settings = settings;
    this.maxConnections = settings.maxConnections;
    this.#authentications = new PendingAuthentications(settings.authenticateTimeout);
    this.#resumption = settings.resume && new Resumption(settings.resume);
    this.#wss = makeWebSocketServer({
      ...settings.webSocket,
      answer: this.#resumption?.answer,
    });
    this.#wss.on('wsClientError', this.#onBadHandshake);
    if (settings.server) this.#attach(settings.server);
  }

  /**
   * Connections that are open, also those that are held without a WebSocket, and those whose stream
   * is done while the peer still reads from their socket.
   */
  get connections(): number {
    return this.#connections.size;
  }

  /** Connections that may still come: `maxConnections` less those that are open or in their handshake. */
  get freePlaces(): number {
    return Math.max(this.maxConnections - this.#connections.open - this.#inHandshake, 0);
  }

  /** Whether the HTTP server listens. */
  get listening(): boolean {
    return this.#binding?.server.listening ?? false;
  }

  /** Returns the address that the HTTP server listens on, or null while it does not. */
  address(): net.AddressInfo | string | null {
    return this.#binding?.server.address() ?? null;
  }

  /**
   * Listens for plain HTTP with a server of its own; takes what `net.Server.listen()` takes. For
   * TLS, or to share a port, give createServer() the `server` and let that listen.
   * @throws `ERR_INVALID_STATE` on a server that was given, listens already or is closing
   */
  listen(port?: number, host?: string, listener?: () => void): this;
  listen(target: number | string | net.ListenOptions, listener?: () => void): this;
  listen(...args: unknown[]): this {
    if (this.#settings.server)
      throw invalidState('let the server listen that createServer() was given');
    if (this.#binding) throw invalidState('this server was told to listen already');
    if (this.#closing) throw invalidState('this server is closing');
    const own = makeHttpServer(this.#settings.handshakeTimeout);
    this.#attach(own);
    // What Node's own listen() takes is its own business to check.
    (own.listen as (...args: unknown[]) => http.Server)(...args);
    return this;
  }

  /**
   * Takes a handshake that any HTTP server hands over in its 'upgrade' event; 'connection' or
   * 'refused' follows.
   */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const rejection = this.#rejectionOf(request);
    if (rejection) {
      this.#reject(request, socket, rejection);
      return;
    }
    const { authenticate } = this.#settings;
    if (!authenticate) {
      this.#accept(request, socket, head);
      return;
    }
    this.#authentications.add(authenticate, request, socket, (refused, identity) => {
      if (refused) this.#reject(request, socket, refused);
      else this.#accept(request, socket, head, identity);
    });
  }

  /**
   * Stops accepting, closes what is open with code 1001, by which the peers know that they were
   * cut, and ends the HTTP server if it is its own. Those held without a WebSocket end at once, with
   * `ECONNRESET`. Streams that are done, and whose peers still read, get `closeTimeout`. Every call returns the same promise, which resolves after 'close'.
   * The callback is called then too.
   */
  close(callback?: () => void): Promise<void> {
    if (!this.#closing) {
      // Before anything else, since the listeners of what follows may call close() too.
      this.#closing = new Promise((resolve) => {
        this.once('close', resolve);
      });
      this.#shutDown();
    }
    if (callback) {
      // Out of the promise, so that what the callback throws is thrown, not rejected.
      void this.#closing.then(() => {
        process.nextTick(callback);
      });
    }
    return this.#closing;
  }

  /** Closes as `close()` does, at the end of an `await using` block. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #shutDown(): void {
    const { adapter, server } = this.#settings;
    if (server) this.#binding?.detach();
    this.#authentications.rejectAll();
    this.#resumption?.close();
    const ended: Promise<unknown>[] = [this.#connections.close(GOING_AWAY, adapter.closeTimeout)];
    const own = this.#ownHttpServer;
    if (own) {
      // An error here says that it did not listen any more, and that is what was wanted.
      ended.push(
        new Promise<void>((resolve) => {
          own.close(() => {
            resolve();
          });
        }),
      );
      own.closeAllConnections();
    }
    void Promise.all(ended).then(() => {
      // Out of the promise, so that what a listener throws is thrown, not rejected.
      process.nextTick(() => this.emit('close'));
    });
  }

  /** The HTTP server that listen() has made. */
  get #ownHttpServer(): http.Server | undefined {
    return this.#settings.server ? undefined : this.#binding?.server;
  }

  #attach(server: http.Server): void {
    const { path, maxPendingConnections } = this.#settings;
    this.#binding = new HttpBinding(server, path, maxPendingConnections, {
      onUpgrade: (request, socket, head) => {
        this.handleUpgrade(request, socket, head);
      },
      onDrop: (dropped) => {
        this.emit('drop', dropped);
      },
      onListening: () => {
        this.emit('listening');
      },
      onError: (error) => {
        this.#onHttpError(error);
      },
    });
  }

  #onHttpError(error: Error): void {
    if (this.#ownHttpServer?.listening === false) {
      // As with net.Server, listen() may be tried again, on another port.
      this.#binding?.detach();
      this.#binding = null;
    }
    this.emit('error', error);
  }

  /** ws takes the request for no handshake. */
  readonly #onBadHandshake = (cause: Error, socket: Duplex, request: IncomingMessage): void => {
    const status = request.method === 'GET' ? BAD_REQUEST : METHOD_NOT_ALLOWED;
    rejectUpgrade(socket, status, { 'Sec-WebSocket-Version': '13, 8' }, cause.message);
    this.emit('refused', request, status, cause);
  };

  /** Why a request is rejected without asking anybody; null if it is not. */
  #rejectionOf(request: IncomingMessage): Rejection | null {
    if (!hasPath(request, this.#settings.path)) return { status: NOT_FOUND };
    const rejection =
      rejectionOfForm(request) ?? rejectionOfOrigin(request, this.#settings.origins);
    if (rejection) return rejection;
    return this.#closing || this.#isFullFor(request) ? { status: UNAVAILABLE } : null;
  }

  #isFullFor(request: IncomingMessage): boolean {
    if (this.#resumption?.isReturn(request)) return false;
    return this.freePlaces === 0;
  }

  get #inHandshake(): number {
    return this.#authentications.size + (this.#resumption?.pending ?? 0);
  }

  #reject(
    request: IncomingMessage,
    socket: Duplex,
    { status, headers, text, cause }: Rejection,
  ): void {
    rejectUpgrade(socket, status, headers, text);
    this.emit('refused', request, status, cause);
  }

  #accept(request: IncomingMessage, socket: Duplex, head: Buffer, identity?: string): void {
    if (!socket.readable || !socket.writable) {
      // ws would drop it without a word.
      socket.destroy();
      const cause = new WsConnError(
        'ECONNRESET',
        'the client had ended TCP before it was answered',
      );
      this.emit('refused', request, BAD_REQUEST, cause);
      return;
    }
    const plan = this.#resumption?.plan(request, identity) ?? null;
    if (plan && 'rejection' in plan) {
      this.#reject(request, socket, plan.rejection);
      return;
    }
    this.#wss.handleUpgrade(request, socket, head, (ws) => {
      const { adapter, adapterOffered } = this.#settings;
      const settings = namesHalfClose(request.headers) ? adapterOffered : adapter;
      const connection = plan ? plan.take(ws, settings) : new WsConnAdapter(ws, settings);
      if (!connection) return;
      if (this.#connections.size >= this.maxConnections) this.#connections.cutLongestLingering();
      this.#connections.add(connection);
      // Which kind it is, the option says by which createServer() has chosen the type.
      (this as EventEmitter).emit('connection', connection, request);
    });
  }
}
