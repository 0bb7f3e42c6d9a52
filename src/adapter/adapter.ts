import net from 'node:net';
import { addAbortSignal } from 'node:stream';

import type { WebSocket } from 'ws';

import type { WriteCallback } from '../base/pending-write.ts';
import { SocketDuplex } from '../base/socket-duplex.ts';
import type { Write } from '../base/write-run.ts';
import { Keepalive } from '../keepalive/keepalive.ts';
import type { KeepaliveOptions } from '../keepalive/options.ts';
import { checkClose, NORMAL_CLOSURE } from '../websocket/close-codes.ts';
import type { Done } from './close-procedure.ts';
import { Connection } from './connection.ts';
import { checkAdapterOptions, type WsConnAdapterOptions } from './options.ts';
import { takeWebSocket } from './take-websocket.ts';

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
export class WsConnAdapter extends SocketDuplex {
  /**
   * The WebSocket below. Look at it as you like; sending, pausing and closing are the adapter's.
   */
  readonly ws: WebSocket;
  readonly #connection: Connection;
  readonly #maxPayload: number;
  #keepalive: Keepalive | null = null;
  #closed: Promise<Error | null> | null = null;

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
    this.#maxPayload = settings.maxPayload;
    this.#connection = new Connection(this, ws, settings, {
      onOpen: () => {
        this.#adoptSocket();
        this.reportOpen();
      },
      onActive: () => {
        this.markActive();
      },
      onSent: () => {
        this.#keepalive?.onSent();
      },
      onPeerGone: () => {
        this.reportPeerGone();
      },
    });
    this.#adoptSocket();
    const { keepalive, signal } = settings;
    if (keepalive) this.ping(keepalive);
    if (signal) addAbortSignal(signal, this);
  }

  /**
   * Whether ws writes to the kernel: a WebSocket over another Duplex may still hand on what was
   * written, as a PassThrough does.
   * @internal
   */
  override get givesMemoryBack(): boolean {
    return this.#connection.link.raw instanceof net.Socket;
  }

  /** @internal */
  override get maxMessageBytes(): number {
    return this.#maxPayload;
  }

  override get connecting(): boolean {
    return this.#connection.link.connecting && !this.destroyed;
  }

  override get bytesRead(): number {
    return this.#connection.bytesRead;
  }

  override get bytesWritten(): number {
    return this.#connection.writes.bytesDone + this.writableLength;
  }

  /**
   * Ends the connection in order: sends what was written, then does the closing handshake; what
   * arrives meanwhile is thrown away. Anyone may call it, at any time and any number of times: the
   * first call does the work, every call returns the same promise. It resolves after 'close' with
   * the first error that the connection ever had, or null, at the latest `closeTimeout` later (then
   * with `ETIMEDOUT`, and the connection is cut). It never rejects. Before 'connect' it gives up
   * the handshake and what was written, and resolves with null.
   *
   * @param code - close code for the peer, which takes every one but 1000 for `ECONNRESET`
   * @param reason - at most 123 bytes of UTF-8
   * @throws `ERR_OUT_OF_RANGE`, `ERR_INVALID_ARG_TYPE` for a code or reason that cannot be sent
   */
  override close(code = NORMAL_CLOSURE, reason = ''): Promise<Error | null> {
    checkClose(code, reason);
    this.#closed ??= this.#closeOnce(code, reason);
    return this.#closed;
  }

  /**
   * Starts the keepalive. The first call starts it, every call returns the same one, also before
   * 'connect' (it starts then) and after 'close' (it is stopped). A peer that gives no sign of life
   * destroys the adapter with `ETIMEDOUT`; every byte that comes in is one, also while what was
   * written cannot leave.
   * @throws `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`
   */
  ping(options?: KeepaliveOptions): Keepalive {
    if (this.#keepalive) return this.#keepalive;
    const keepalive = new Keepalive(this.ws, options);
    this.#keepalive = keepalive;
    if (this.destroyed || this.#connection.closing.begun) keepalive.stop();
    if (!this.#connection.link.socket.referenced) keepalive.unref();
    keepalive.on('pong', (rtt) => this.emit('pong', rtt));
    keepalive.on('dead', (error) => this.destroy(error));
    return keepalive;
  }

  /**
   * Ends the connection, as `net.Socket` does: with nothing unsent in order, so that the peer sees
   * 'end', else at once, so that it sees `ECONNRESET`.
   */
  override destroy(error?: Error | null): this {
    if (this.destroyed) this.#connection.closing.destroyAgain(error ?? null);
    return super.destroy(error);
  }

  /**
   * Resets the connection: TCP RST where there is bare TCP below, an end without Close elsewhere.
   * The peer sees `ECONNRESET`.
   */
  override resetAndDestroy(): this {
    this.#connection.closing.reset();
    return this;
  }

  override setNoDelay(noDelay = true): this {
    this.#connection.link.socket.setNoDelay(noDelay);
    return this;
  }

  override setKeepAlive(enable: unknown = false, initialDelay = 0): this {
    this.#connection.link.socket.setKeepAlive(Boolean(enable), initialDelay);
    return this;
  }

  override ref(): this {
    this.#connection.link.setReferenced(true);
    this.#keepalive?.ref();
    return this;
  }

  override unref(): this {
    this.#connection.link.setReferenced(false);
    this.#keepalive?.unref();
    return this;
  }

  /** Reads as every Readable does. */
  override read(size?: number): Buffer | string | null {
    this.#connection.received.beforeRead(size);
    const chunk = super.read(size) as Buffer | string | null;
    this.#connection.received.afterRead(size, chunk !== null);
    return chunk;
  }

  override _read(): void {
    this.#connection.received.want();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: WriteCallback): void {
    this.#connection.writes.write(chunk, callback);
  }

  override _writev(writes: readonly Write[], callback: WriteCallback): void {
    this.#connection.writes.writev(writes, callback);
  }

  override _final(callback: () => void): void {
    this.#connection.writes.whenOpen(() => {
      this.#connection.closing.endWriting(callback);
    });
  }

  protected override hangUp(error: Error | null, done: Done): void {
    this.#keepalive?.stop();
    this.#connection.hangUp(error, (late) => {
      this.#connection.writes.drop((settle) => {
        this.settleLost(error ?? late, settle);
      });
      done(late);
    });
  }

  #adoptSocket(): void {
    const { raw } = this.#connection.link;
    if (raw) this.adoptAddresses(raw);
  }

  #closeOnce(code: number, reason: string): Promise<Error | null> {
    const closed = this.afterClose();
    this.#keepalive?.stop();
    this.#connection.close(code, reason);
    return closed;
  }
}
