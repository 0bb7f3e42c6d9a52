import { addAbortSignal } from 'node:stream';

import type { WebSocket } from 'ws';

import { Keepalive } from '../keepalive/keepalive.ts';
import type { KeepaliveOptions } from '../keepalive/options.ts';
import { Connection, type ConnectionEvents } from './connection.ts';
import { checkAdapterOptions, type WsConnAdapterOptions } from './options.ts';
import { takeWebSocket } from './link/take-websocket.ts';
import { WsConnSocket } from './wsconn-socket.ts';

/**
 * Makes a WebSocket behave as a `net.Socket`: bytes written come out at the other end in order, in
 * binary messages whose borders mean nothing.
 *
 * Takes a WebSocket of the package ws, 8.3 or newer, that is CONNECTING or OPEN, of a client or a
 * server, and owns it from then on. On one that is OPEN it must be made before the event loop
 * turns, or messages are lost to whoever listens then.
 *
 * The events are those of `net.Socket`, and 'pong' with the round trip in ms. Where it differs from
 * `net.Socket`:
 * - Without half close, `end()` closes both directions, as a WebSocket does: the peer cannot answer
 *   after it.
 * - A connection cut without a Close frame, or closed with a code other than 1000, is an error
 *   (`ECONNRESET`), never an 'end'.
 * - `close()` ends in order and gives the first error; `ping()` keeps the connection alive.
 * - After 'close' the socket below may live on, to throw away what still comes, until the peer has
 *   ended too.
 */
export class WsConnAdapter extends WsConnSocket {
  /**
   * The WebSocket below. Look at it as you like; sending, pausing and closing are the adapter's.
   */
  override readonly ws: WebSocket;
  readonly #connection: Connection;

  /**
   * @throws `ERR_INVALID_ARG_TYPE` for a WebSocket that lacks what the adapter needs, and for an
   * option; `ERR_OUT_OF_RANGE` for an option; `ERR_INVALID_STATE` for a WebSocket that has an
   * adapter or is closing
   */
  constructor(ws: WebSocket, options: WsConnAdapterOptions = {}) {
    const settings = checkAdapterOptions(options);
    super(settings);
    takeWebSocket(ws);
    this.ws = ws;
    this.#connection = new Connection(this, ws, settings, new WsConnAdapter.#Events(this));
    this.#adoptSocket();
    const { keepalive, signal } = settings;
    if (keepalive) this.ping(keepalive);
    if (signal) addAbortSignal(signal, this);
  }

  /** @internal */
  protected override get transport(): Connection {
    return this.#connection;
  }

  /** @internal */
  protected override makeKeepalive(options: KeepaliveOptions | undefined): Keepalive {
    return new Keepalive(this.ws, options);
  }

  /** @internal */
  override onKeepaliveDead(error: Error): void {
    this.destroy(error);
  }

  #adoptSocket(): void {
    const { raw } = this.#connection.link;
    if (raw) this.adoptAddresses(raw);
  }

  /** What the connection reports. */
  static readonly #Events = class implements ConnectionEvents {
    readonly #adapter: WsConnAdapter;

    constructor(adapter: WsConnAdapter) {
      this.#adapter = adapter;
    }

    onOpen(): void {
      this.#adapter.#adoptSocket();
      this.#adapter.reportOpen();
    }

    onActive(): void {
      this.#adapter.markActive();
    }

    onSent(): void {
      this.#adapter.onMessageSent();
    }

    onPeerGone(): void {
      this.#adapter.reportPeerGone();
    }
  };
}
