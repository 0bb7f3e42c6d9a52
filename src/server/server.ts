import { EventEmitter } from 'node:events';
import type http from 'node:http';
import type { IncomingMessage } from 'node:http';
import type net from 'node:net';
import type { Duplex } from 'node:stream';

import type { WebSocketServer } from 'ws';

import { WsConnAdapter } from '../adapter/adapter.ts';
import { GOING_AWAY } from '../websocket/close-codes.ts';
import { Connections } from './connections.ts';
import { invalidState, WsConnError } from '../base/errors.ts';
import { ask, type Authenticate, type Verdict } from './authentication.ts';
import { halfCloseOptions } from '../websocket/features-header.ts';
import { makeHttpServer } from './http-server.ts';
import { refuse } from './reject-upgrade.ts';
import {
  type CheckedServerOptions,
  checkServerOptions,
  type CreateServerOptions,
} from './options.ts';
import { makeWebSocketServer } from './websocket-server.ts';

export interface WsConnServerEvents {
  /** A WebSocket was opened; its adapter, and the request that asked for it. */
  connection: [adapter: WsConnAdapter, request: IncomingMessage];
  /** A handshake was refused: with which HTTP status and, where something went wrong, why. */
  refused: [request: IncomingMessage, status: number, cause: unknown];
  listening: [];
  /** The server could not listen, or its HTTP server failed. */
  error: [error: Error];
  close: [];
}

/**
 * What each listener of this package takes, so that those of one HTTP server know of each other.
 */
const pathsOf = new WeakMap<object, (request: IncomingMessage) => boolean>();

const BAD_REQUEST = 400;
const NOT_FOUND = 404;
const METHOD_NOT_ALLOWED = 405;
const UNAVAILABLE = 503;

/**
 * Takes WebSockets and gives their adapters, as `net.Server` does with TCP connections. Made by
 * `createServer()`.
 */
export class WsConnServer extends EventEmitter<WsConnServerEvents> {
  /**
   * Connections that may be there or in their handshake at once; those whose stream is done give
   * way to new ones.
   */
  maxConnections: number;
  readonly #options: CreateServerOptions;
  readonly #checked: CheckedServerOptions;
  readonly #wss: WebSocketServer;
  readonly #connections = new Connections();
  /** Handshakes that wait for their verdict, each with what refuses it. */
  readonly #waiting = new Set<() => void>();
  #http: http.Server | null = null;
  #closing: Promise<void> | null = null;

  constructor(options: CreateServerOptions) {
    super();
    this.#checked = checkServerOptions(options);
    this.maxConnections = this.#checked.maxConnections;
    this.#options = options;
    this.#wss = this.#makeWebSocketServer();
    if (options.server) this.#attach(options.server);
  }

  /**
   * Connections that are open, or whose stream is done while the peer still reads from their
   * socket.
   */
  get connections(): number {
    return this.#connections.size;
  }

  /** Whether the HTTP server listens. */
  get listening(): boolean {
    return this.#http?.listening ?? false;
  }

  /** Gives the address that the HTTP server listens on, or null while it does not. */
  address(): net.AddressInfo | string | null {
    return this.#http?.address() ?? null;
  }

  /**
   * Listens for plain HTTP with a server of its own; takes what `net.Server.listen()` takes. For
   * TLS, or to share a port, give createServer() the `server` and let that listen.
   * @throws `ERR_INVALID_STATE` on a server that was given, listens already or is closing
   */
  listen(port?: number, host?: string, listener?: () => void): this;
  listen(target: number | string | net.ListenOptions, listener?: () => void): this;
  listen(...args: unknown[]): this {
    if (this.#options.server)
      throw invalidState('let the server listen that createServer() was given');
    if (this.#http) throw invalidState('this server was told to listen already');
    if (this.#closing) throw invalidState('this server is closing');
    const own = makeHttpServer(this.#checked.handshakeTimeout);
    this.#attach(own);
    // What Node's own listen() takes is its own business to check.
    (own.listen as (...args: unknown[]) => http.Server)(...args);
    return this;
  }

  /**
   * Takes a handshake that any HTTP server hands over in its 'upgrade' event; 'connection' or
   * 'refused' will tell.
   */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const verdict = this.#turnAway(request);
    if (verdict) {
      this.#refuse(request, socket, verdict);
      return;
    }
    const { authenticate } = this.#options;
    if (!authenticate) {
      this.#accept(request, socket, head);
      return;
    }
    this.#wait(authenticate, request, socket, head);
  }

  /**
   * Stops accepting, closes what is open with code 1001, by which the peers know that they were
   * cut, and ends the HTTP server if it is its own. Streams that are done, and whose peers still
   * read, get `closeTimeout`. Every call gives the same promise, which resolves after 'close'; the
   * callback is called then too.
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
    const { server } = this.#options;
    if (server) this.#detach(server);
    for (const refuseWaiting of this.#waiting) refuseWaiting();
    const ended: Promise<unknown>[] = [
      this.#connections.close(GOING_AWAY, this.#checked.closeTimeout),
    ];
    const own = server ? null : this.#http;
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

  #makeWebSocketServer(): WebSocketServer {
    const {
      autoPong,
      halfClose,
      handleProtocols,
      maxBufferedChunks,
      maxFragments,
      perMessageDeflate,
    } = this.#options;
    const { maxPayload } = this.#checked;
    const wss = makeWebSocketServer({
      autoPong,
      halfClose,
      handleProtocols,
      maxBufferedChunks,
      maxFragments,
      maxPayload,
      perMessageDeflate,
    });
    wss.on('wsClientError', (cause, socket, request) => {
      const status = request.method === 'GET' ? BAD_REQUEST : METHOD_NOT_ALLOWED;
      refuse(socket, status, { 'Sec-WebSocket-Version': '13, 8' }, cause.message);
      this.emit('refused', request, status, cause);
    });
    return wss;
  }

  #attach(server: http.Server): void {
    this.#http = server;
    pathsOf.set(this.#onUpgrade, (request) => this.#pathFits(request));
    server.on('upgrade', this.#onUpgrade);
    server.on('listening', this.#onListening);
    server.on('error', this.#onError);
  }

  #detach(server: http.Server): void {
    server.off('upgrade', this.#onUpgrade);
    server.off('listening', this.#onListening);
    server.off('error', this.#onError);
  }

  readonly #onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    if (this.#pathFits(request) || !this.#othersAnswer(request))
      this.handleUpgrade(request, socket, head);
  };

  readonly #onListening = (): void => {
    this.emit('listening');
  };

  readonly #onError = (error: Error): void => {
    const own = this.#options.server ? null : this.#http;
    if (own && !own.listening) {
      // As with net.Server, listen() may be tried again, on another port.
      this.#detach(own);
      this.#http = null;
    }
    this.emit('error', error);
  };

  /**
   * Whether a request that is not for this server is answered by another listener of the HTTP
   * server.
   */
  #othersAnswer(request: IncomingMessage): boolean {
    const listeners = this.#http?.listeners('upgrade') ?? [];
    const fits = listeners.map((listener) => pathsOf.get(listener));
    // Of servers of this package among themselves, the last one refuses what is for none of them.
    return (
      fits.some((fit) => fit === undefined || fit(request)) || listeners.at(-1) !== this.#onUpgrade
    );
  }

  #pathFits(request: IncomingMessage): boolean {
    const { path } = this.#options;
    return path === undefined || request.url?.split('?', 1)[0] === path;
  }

  /** What can be said without asking anybody. */
  #turnAway(request: IncomingMessage): Verdict | null {
    if (!this.#pathFits(request)) return { status: NOT_FOUND };
    const full = this.#connections.open + this.#waiting.size >= this.maxConnections;
    return this.#closing || full ? { status: UNAVAILABLE } : null;
  }

  #wait(authenticate: Authenticate, request: IncomingMessage, socket: Duplex, head: Buffer): void {
    let takeBack = (): void => undefined;
    const settle = (): void => {
      takeBack();
      this.#waiting.delete(refuseWaiting);
      socket.off('close', settle);
      socket.off('error', giveUp);
    };
    const refuseWaiting = (): void => {
      settle();
      this.#refuse(request, socket, { status: UNAVAILABLE });
    };
    // An error of the client's socket is its own affair, but it must not become an uncaught one.
    const giveUp = (): void => {
      socket.destroy();
    };
    this.#waiting.add(refuseWaiting);
    socket.on('close', settle);
    socket.on('error', giveUp);
    takeBack = ask(authenticate, request, this.#checked.authenticateTimeout, (verdict) => {
      settle();
      if (verdict) this.#refuse(request, socket, verdict);
      else this.#accept(request, socket, head);
    });
    // It may have closed this server.
    if (!this.#waiting.has(refuseWaiting)) takeBack();
  }

  #refuse(request: IncomingMessage, socket: Duplex, { status, headers, cause }: Verdict): void {
    refuse(socket, status, headers);
    this.emit('refused', request, status, cause);
  }

  #accept(request: IncomingMessage, socket: Duplex, head: Buffer): void {
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
    this.#wss.handleUpgrade(request, socket, head, (ws) => {
      const halfClose = halfCloseOptions(this.#options.halfClose, request.headers);
      const adapter = new WsConnAdapter(ws, {
        ...this.#options,
        ...halfClose,
        maxPayload: this.#checked.maxPayload,
      });
      if (this.#connections.size >= this.maxConnections) this.#connections.giveWay();
      this.#connections.add(adapter);
      this.emit('connection', adapter, request);
    });
  }
}

/**
 * Makes a server of WebSockets whose connections are sockets, as `net.createServer()` does for TCP:
 * call `listen()`, give it the `server` to share, or hand it upgrades with `handleUpgrade()`. Half
 * close is agreed on with clients that offer it, unless the option `halfClose` decides it. All
 * options of the adapter go to every connection.
 *
 * @throws `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`, `ERR_OUT_OF_RANGE` for an option
 */
export function createServer(
  options?: CreateServerOptions,
  onConnection?: (adapter: WsConnAdapter, request: IncomingMessage) => void,
): WsConnServer;
export function createServer(
  onConnection: (adapter: WsConnAdapter, request: IncomingMessage) => void,
): WsConnServer;
export function createServer(
  first: CreateServerOptions | ((adapter: WsConnAdapter, request: IncomingMessage) => void) = {},
  second?: (adapter: WsConnAdapter, request: IncomingMessage) => void,
): WsConnServer {
  const [options, onConnection] = typeof first === 'function' ? [{}, first] : [first, second];
  const server = new WsConnServer(options);
  if (onConnection) server.on('connection', onConnection);
  return server;
}
