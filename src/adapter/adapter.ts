import type { IncomingMessage } from 'node:http';
import net from 'node:net';
import { addAbortSignal } from 'node:stream';

import type { RawData, WebSocket } from 'ws';

import { type AdapterSettings, checkAdapterOptions, type WsConnAdapterOptions } from './options.ts';
import { checkSocket, takeWebSocket } from './take-websocket.ts';
import { checkClose, NORMAL_CLOSURE } from '../websocket/close-codes.ts';
import { closeError, frameError, handshakeError } from './connection-errors.ts';
import { CloseProcedure, type Done } from './close-procedure.ts';
import { WsConnError } from '../base/errors.ts';
import { WriteBatcher } from './write-batcher.ts';
import type { WriteCallback } from '../base/pending-write.ts';
import type { Write } from '../base/write-run.ts';
import { HalfClose } from './half-close.ts';
import { Keepalive } from '../keepalive/keepalive.ts';
import type { KeepaliveOptions } from '../keepalive/options.ts';
import { Link } from './link.ts';
import { MessageReader } from './message-reader.ts';
import { MessageSender } from './message-sender.ts';
import { ReceiveBuffer } from '../base/receive-buffer.ts';
import { SocketDuplex } from '../base/socket-duplex.ts';

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
  readonly #settings: AdapterSettings;
  readonly #link: Link;
  readonly #received: ReceiveBuffer;
  readonly #writes: WriteBatcher;
  readonly #halfClose: HalfClose;
  readonly #messages: MessageReader;
  readonly #closing: CloseProcedure;
  #keepalive: Keepalive | null = null;
  #referenced = true;
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
    this.#settings = settings;
    const { closeTimeout, handshakeTimeout, keepalive, maxMessageSize, signal } = settings;
    const sending = { maxMessageSize, highWaterMark: this.writableHighWaterMark };
    const sender = new MessageSender(ws, sending, {
      onMessage: () => {
        this.#keepalive?.onSent();
      },
      onProgress: () => {
        this.markActive();
      },
    });
    this.#writes = new WriteBatcher(this, sender, maxMessageSize, ws.readyState === ws.OPEN);
    this.#received = this.#makeReceiveBuffer();
    this.#halfClose = new HalfClose(ws, settings);
    this.#messages = this.#makeMessageReader();
    this.#link = this.#makeLink();
    this.#closing = new CloseProcedure(this, this.#link, closeTimeout);
    if (this.#link.raw) this.adoptAddresses(this.#link.raw);
    else if (handshakeTimeout < Infinity) this.#limitHandshake(handshakeTimeout);
    if (keepalive) this.ping(keepalive);
    if (signal) addAbortSignal(signal, this);
  }

  /**
   * Whether ws writes to the kernel: a WebSocket over another Duplex may still hand on what was
   * written, as a PassThrough does.
   * @internal
   */
  override get givesMemoryBack(): boolean {
    return this.#link.raw instanceof net.Socket;
  }

  /** @internal */
  override get maxMessageBytes(): number {
    return this.#settings.maxPayload;
  }

  override get connecting(): boolean {
    return this.#link.connecting && !this.destroyed;
  }

  override get bytesRead(): number {
    return this.#messages.bytesRead;
  }

  override get bytesWritten(): number {
    return this.#writes.bytesDone + this.writableLength;
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
    if (this.destroyed || this.#closing.begun) keepalive.stop();
    if (!this.#referenced) keepalive.unref();
    keepalive.on('pong', (rtt) => this.emit('pong', rtt));
    keepalive.on('dead', (error) => this.destroy(error));
    return keepalive;
  }

  /**
   * Ends the connection, as `net.Socket` does: with nothing unsent in order, so that the peer sees
   * 'end', else at once, so that it sees `ECONNRESET`.
   */
  override destroy(error?: Error | null): this {
    if (this.destroyed) this.#closing.hurry(error ?? null);
    // An error that a write was told of already is the first one.
    return super.destroy(error ?? this.errored ?? undefined);
  }

  /**
   * Resets the connection: TCP RST where there is bare TCP below, an end without Close elsewhere.
   * The peer sees `ECONNRESET`.
   */
  override resetAndDestroy(): this {
    this.#closing.reset();
    return this;
  }

  override setNoDelay(noDelay = true): this {
    this.#link.setNoDelay(noDelay);
    return this;
  }

  override setKeepAlive(enable: unknown = false, initialDelay = 0): this {
    this.#link.setKeepAlive(Boolean(enable), initialDelay);
    return this;
  }

  override ref(): this {
    this.#referenced = true;
    this.#link.ref();
    this.#keepalive?.ref();
    return this;
  }

  override unref(): this {
    this.#referenced = false;
    this.#link.unref();
    this.#keepalive?.unref();
    return this;
  }

  /** Reads as every Readable does. */
  override read(size?: number): Buffer | string | null {
    this.#received.beforeRead(size);
    const chunk = super.read(size) as Buffer | string | null;
    this.#received.afterRead(size, chunk !== null);
    return chunk;
  }

  override _read(): void {
    this.#received.want();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: WriteCallback): void {
    this.#writes.write(chunk, callback);
  }

  override _writev(writes: readonly Write[], callback: WriteCallback): void {
    this.#writes.writev(writes, callback);
  }

  override _final(callback: () => void): void {
    this.#writes.whenOpen(() => {
      this.#halfClose.ask((agreed) => {
        if (agreed && this.#link.open && !this.#closing.isClosing) {
          this.#halfClose.sendFin(callback);
          if (this.#halfClose.bothEnded) this.#closing.sendClose();
        } else {
          // Where the peer has closed there is nobody to tell, and nothing unsent, or Writable
          // would not be here.
          this.#closing.sendClose();
          callback();
        }
      });
    });
  }

  protected override hangUp(error: Error | null, done: Done): void {
    this.#keepalive?.stop();
    this.#received.clear();
    this.#closing.hangUp(error, (late) => {
      this.#halfClose.release();
      const outcome = error ?? late;
      this.#writes.drop((settle) => {
        this.settleLost(outcome, settle);
      });
      done(late);
    });
  }

  #makeReceiveBuffer(): ReceiveBuffer {
    return new ReceiveBuffer(this, {
      pause: () => {
        if (!this.ws.isPaused) this.ws.pause();
      },
      resume: () => {
        if (this.ws.isPaused) this.ws.resume();
      },
    });
  }

  #makeMessageReader(): MessageReader {
    return new MessageReader(this.#halfClose, this.#received, {
      onData: () => {
        this.markActive();
      },
      onFin: () => {
        if (this.#halfClose.bothEnded) this.#closing.sendClose();
      },
      onViolation: (code, reason) => {
        this.#received.flush();
        this.#closing.fail(new WsConnError('EPROTO', reason), { code, reason });
      },
    });
  }

  #makeLink(): Link {
    return new Link(
      this.ws,
      {
        onOpen: () => {
          this.#onOpen();
        },
        onUpgrade: (response) => {
          this.#onUpgrade(response);
        },
        onRefusal: (statusCode) => {
          const refused = `the server answered with HTTP status ${String(statusCode)}`;
          this.destroy(new WsConnError('ECONNREFUSED', refused, { statusCode }));
        },
        onMessage: (data, isBinary) => {
          this.#onMessage(data, isBinary);
        },
        onError: (error) => {
          this.#onError(error);
        },
        onClose: (code, reason) => {
          this.#onClose(code, reason);
        },
      },
      this.#settings.closeTimeout,
    );
  }

  #limitHandshake(ms: number): void {
    this.#link.limit(ms, () => {
      const happened = `the handshake with ${this.ws.url} took longer than ${String(ms)} ms`;
      this.destroy(new WsConnError('ETIMEDOUT', happened));
    });
  }

  #onUpgrade(response: IncomingMessage): void {
    this.#halfClose.onUpgrade(response.headers);
  }

  #onOpen(): void {
    try {
      checkSocket(this.ws);
    } catch (error) {
      this.destroy(error as Error);
      return;
    }
    if (this.#link.raw) this.adoptAddresses(this.#link.raw);
    this.#halfClose.confirm();
    try {
      this.reportOpen();
    } finally {
      // Also where a listener throws: what was written before waits for this.
      this.#writes.open();
    }
  }

  #onMessage(data: RawData, isBinary: boolean): void {
    // takeWebSocket() has set binaryType to 'nodebuffer', so this is what ws gives.
    if (!this.#closing.begun && !this.destroyed) this.#messages.take(data as Buffer, isBinary);
  }

  #onError(error: Error): void {
    this.#received.flush();
    // After the handshake it is about a frame, and ws has sent the Close that belongs to it.
    if (this.#link.raw) this.#closing.fail(frameError(error));
    else this.destroy(handshakeError(error, this.ws.url));
  }

  #onClose(code: number, reason: string): void {
    if (this.destroyed) {
      this.#closing.onWebSocketClosed();
      return;
    }
    const { ownCode, socketError, tcpEnded } = this.#link;
    const error = closeError({
      code,
      reason,
      ownCode,
      unsent: this.writableLength,
      tcpEnded,
      // Who closes halves sends a FIN or Close, and the kernel may show a reset as an end behind
      // bytes that were not read yet.
      tcpEndIsEof: this.#settings.tcpEndIsEof && !this.#halfClose.agreed,
      socketError,
    });
    if (error || this.#closing.isClosing) {
      this.#received.flush();
      this.destroy(error ?? undefined);
      return;
    }
    this.#halfClose.onPeerGone();
    this.#received.end();
    this.reportPeerGone();
  }

  #closeOnce(code: number, reason: string): Promise<Error | null> {
    const closed = this.afterClose();
    this.#keepalive?.stop();
    if (this.destroyed) {
      this.#closing.close(code, reason);
    } else if (this.#link.closed || !this.#link.raw) {
      this.destroy();
    } else {
      this.#received.discard();
      this.#closing.close(code, reason);
      this.#halfClose.giveUp();
    }
    return closed;
  }
}
