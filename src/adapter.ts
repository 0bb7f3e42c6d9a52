import type { IncomingMessage } from 'node:http';
import net from 'node:net';
import { addAbortSignal } from 'node:stream';

import type { RawData, WebSocket } from 'ws';

import {
  checkAdapterOptions,
  type CheckedAdapterOptions,
  type WsConnAdapterOptions,
} from './adapter-options.ts';
import { claim } from './claim.ts';
import { checkClose, NORMAL_CLOSURE, PROTOCOL_ERROR, UNSUPPORTED_DATA } from './close-code.ts';
import { closeError, frameError, handshakeError } from './ending.ts';
import { streamDestroyed, WsConnError } from './errors.ts';
import { Gatherer, type WriteCallback } from './gatherer.ts';
import { namesHalfClose } from './half-close.ts';
import { Keepalive, type KeepaliveOptions } from './keepalive.ts';
import { Link } from './link.ts';
import { Outgoing, type Write } from './outgoing.ts';
import { SocketDuplex } from './socket-duplex.ts';

/** The FIN of one direction: other peers skip an empty message, which means nothing in a stream of bytes. */
const FIN = Buffer.alloc(0);

/**
 * Makes a WebSocket behave as a `net.Socket`: bytes written come out at the other end in order, in binary messages whose
 * borders mean nothing.
 *
 * Takes a `ws` WebSocket that is CONNECTING or OPEN, of a client or a server, and owns it from then on. On one that is
 * OPEN it must be made before the event loop turns, or messages are lost to whoever listens then.
 *
 * The events are those of `net.Socket`, and 'pong' with the round trip in ms. Where it differs from `net.Socket`:
 * - Without half close, `end()` closes both directions, as a WebSocket does: the peer cannot answer after it.
 * - A connection cut without a Close frame is an error (`ECONNRESET`), never an 'end'.
 * - `close()` ends in order and gives the first error; `ping()` keeps the connection alive.
 */
export class WsConnAdapter extends SocketDuplex {
  /** The WebSocket below. Look at it as you like; sending, pausing and closing are the adapter's. */
  readonly ws: WebSocket;
  readonly #link: Link;
  readonly #gatherer: Gatherer;
  readonly #options: CheckedAdapterOptions;
  #halfClose: boolean;
  #bytesRead = 0;
  #finSent = false;
  #finReceived = false;
  /** Ends the writable side; set while the FIN is on its way. */
  #finished: (() => void) | null = null;
  /** Whether what arrives is thrown away. */
  #discarding = false;
  /** How `destroy()` is to end the connection, where its argument does not say it. */
  #manner: 'as told' | 'complain' | 'reset' = 'as told';
  /** What close() wants the Close frame to say; null until it is called. */
  #farewell: { readonly code: number; readonly reason: string } | null = null;
  #closing: Promise<Error | null> | null = null;
  #hungUp: (() => void) | null = null;
  /** The error of a close() that ran out of time when the stream had ended by itself already. */
  #tooLate: Error | null = null;
  #keepalive: Keepalive | null = null;
  #referenced = true;

  /**
   * @throws `ERR_INVALID_ARG_TYPE` and `ERR_OUT_OF_RANGE` for an option, `ERR_INVALID_STATE` for a WebSocket that has an
   * adapter or is closing
   */
  constructor(ws: WebSocket, options: WsConnAdapterOptions = {}) {
    super(options);
    const checked = checkAdapterOptions(options);
    claim(ws);
    this.ws = ws;
    this.#options = checked;
    this.#halfClose = checked.halfClose ?? false;
    const outgoing = new Outgoing(ws, {
      maxMessageSize: checked.maxMessageSize,
      highWaterMark: this.writableHighWaterMark,
      onMessage: () => {
        this.#keepalive?.onSent();
      },
      onProgress: () => {
        this.markActive();
      },
    });
    this.#gatherer = new Gatherer(this, outgoing, checked.maxMessageSize, ws.readyState === ws.OPEN);
    this.#link = this.#makeLink();
    if (this.#link.raw) this.adoptAddresses(this.#link.raw);
    else if (checked.handshakeTimeout !== undefined) this.#limitHandshake(checked.handshakeTimeout);
    if (checked.keepalive) this.ping(checked.keepalive);
    if (options.signal) addAbortSignal(options.signal, this);
  }

  /**
   * Whether ws writes to the kernel: a WebSocket over another Duplex may still hand on what was written, as a PassThrough does.
   * @internal
   */
  override get givesMemoryBack(): boolean {
    return this.#link.raw instanceof net.Socket;
  }

  override get connecting(): boolean {
    return this.#link.connecting && !this.destroyed;
  }

  override get bytesRead(): number {
    return this.#bytesRead;
  }

  override get bytesWritten(): number {
    return this.#gatherer.bytesDone + this.writableLength;
  }

  /**
   * Ends the connection in order: sends what was written, then does the closing handshake; what arrives meanwhile is
   * thrown away. Anyone may call it, at any time and any number of times: the first call does the work, every call
   * returns the same promise. It resolves after 'close' with the first error that the connection ever had, or null, at
   * the latest `closeTimeout` later (then with `ETIMEDOUT`). It never rejects. A handshake that still goes on is given up.
   *
   * @param code - close code for the peer, which takes every one but 1000 and 1001 for `ECONNRESET`
   * @param reason - at most 123 bytes of UTF-8
   * @throws `ERR_OUT_OF_RANGE`, `ERR_INVALID_ARG_TYPE` for a code or reason that cannot be sent
   */
  override close(code = NORMAL_CLOSURE, reason = ''): Promise<Error | null> {
    checkClose(code, reason);
    this.#closing ??= this.#closeOnce(code, reason);
    return this.#closing;
  }

  /**
   * Starts the keepalive. The first call starts it, every call returns the same one, also before 'connect' (it starts
   * then) and after 'close' (it is stopped). A peer that gives no sign of life destroys the adapter with `ETIMEDOUT`.
   * @throws `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`
   */
  ping(options?: KeepaliveOptions): Keepalive {
    if (this.#keepalive) return this.#keepalive;
    const keepalive = new Keepalive(this.ws, options);
    this.#keepalive = keepalive;
    if (this.destroyed || this.#farewell) keepalive.stop();
    if (!this.#referenced) keepalive.unref();
    keepalive.on('pong', (rtt) => this.emit('pong', rtt));
    keepalive.on('dead', (error) => this.destroy(error));
    return keepalive;
  }

  /** Resets the connection: TCP RST where there is bare TCP below, an end without Close elsewhere. The peer sees `ECONNRESET`. */
  override resetAndDestroy(): this {
    if (!this.destroyed) {
      this.#manner = 'reset';
      this.destroy();
    }
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

  override _read(): void {
    if (this.ws.isPaused) this.ws.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: WriteCallback): void {
    this.#gatherer.write(chunk, callback);
  }

  override _writev(writes: readonly Write[], callback: WriteCallback): void {
    this.#gatherer.writev(writes, callback);
  }

  override _final(callback: () => void): void {
    this.#gatherer.whenOpen(() => {
      if (!this.#link.open) {
        // The peer has closed: there is nobody to tell, and nothing unsent, or Writable would not be here.
        callback();
      } else if (this.#halfClose && !this.#farewell) {
        this.#sendFin(callback);
      } else {
        const { code, reason } = this.#farewell ?? { code: NORMAL_CLOSURE, reason: '' };
        this.#link.sayGoodbye(code, reason);
        callback();
      }
    });
  }

  protected override hangUp(error: Error | null, done: (late?: Error | null) => void): void {
    const link = this.#link;
    this.#keepalive?.stop();
    this.#discarding = true;
    this.#hungUp = () => {
      const outcome = error ?? this.#tooLate;
      // Writable leaves the write that it has handed over to us. What it is told then becomes `errored`: where there was
      // no error, it is told when everybody has seen 'close' without one.
      if (outcome) this.#gatherer.drop(outcome);
      done(this.#tooLate);
      if (!outcome) this.#gatherer.drop(streamDestroyed('write'));
    };
    if (link.closed) {
      this.#hungUp();
      return;
    }
    const bothEnded = error === null && this.readableEnded && this.writableFinished;
    // close() has said goodbye already, and its time limit runs.
    if (bothEnded && this.#farewell) return;
    if (this.#manner === 'reset') {
      link.reset();
    } else if (this.#manner === 'complain' || bothEnded) {
      // The peer gets its time to answer: an end at once could run over what it has not read yet.
      link.partInOrder(NORMAL_CLOSURE);
    } else if (error !== null || this.writableLength > 0 || link.connecting) {
      link.cut();
    } else {
      link.partNow(NORMAL_CLOSURE);
    }
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
      this.#options.closeTimeout,
    );
  }

  #limitHandshake(ms: number): void {
    this.#link.limit(ms, () => {
      const happened = `the handshake with ${this.ws.url} took longer than ${String(ms)} ms`;
      this.destroy(new WsConnError('ETIMEDOUT', happened));
    });
  }

  #onUpgrade(response: IncomingMessage): void {
    if (this.#options.halfClose === undefined) this.#halfClose = namesHalfClose(response.headers);
  }

  #onOpen(): void {
    if (this.#link.raw) this.adoptAddresses(this.#link.raw);
    this.reportOpen();
    this.#gatherer.open();
  }

  #onMessage(data: RawData, isBinary: boolean): void {
    if (this.#discarding) return;
    // claim() has set binaryType to 'nodebuffer', so this is what ws gives.
    const bytes = data as Buffer;
    if (!isBinary) {
      const text = `a text message of ${String(bytes.length)} bytes came, and this stream is binary`;
      this.#complain(UNSUPPORTED_DATA, text);
    } else if (bytes.length === 0) {
      if (this.#halfClose) this.#onFin();
    } else if (this.#finReceived) {
      this.#complain(PROTOCOL_ERROR, `${String(bytes.length)} bytes came after the end of their direction`);
    } else {
      this.#bytesRead += bytes.length;
      this.markActive();
      if (!this.push(bytes)) this.#holdBack();
    }
  }

  #holdBack(): void {
    // Within push() the user may have closed: then what comes is thrown away, and not waited with.
    if (!this.#discarding) this.ws.pause();
  }

  #onFin(): void {
    if (this.#finReceived) return;
    this.#finReceived = true;
    this.#pushEnd();
    // No data will come that could be too much, but the peer's Close will.
    this.ws.resume();
    this.#closeWhenBothEnded();
  }

  #sendFin(callback: () => void): void {
    this.#finSent = true;
    this.#finished = callback;
    // Uncompressed, which is at once: the Close frame of a destroy() that follows must not overtake it.
    this.ws.send(FIN, { compress: false }, (error) => {
      // After an error the WebSocket closes, and 'close' settles what is left.
      if (!error) this.#releaseFinal();
    });
    this.#closeWhenBothEnded();
  }

  #releaseFinal(): void {
    const finished = this.#finished;
    this.#finished = null;
    finished?.();
  }

  #closeWhenBothEnded(): void {
    if (this.#finSent && this.#finReceived) this.#link.sayGoodbye(NORMAL_CLOSURE);
  }

  /** Ends the connection with a Close frame that tells the peer what it did wrong. */
  #complain(closeCode: number, happened: string): void {
    this.#link.sayGoodbye(closeCode, happened);
    this.#manner = 'complain';
    this.destroy(new WsConnError('EPROTO', happened));
  }

  #onError(error: Error): void {
    if (this.#link.raw) {
      // ws has sent its own complaint already.
      this.#manner = 'complain';
      this.destroy(frameError(error));
    } else {
      this.destroy(handshakeError(error));
    }
  }

  #onClose(code: number, reason: string): void {
    if (this.destroyed) {
      this.#hungUp?.();
      return;
    }
    const { ownCode, socketError, tcpEnded } = this.#link;
    const error = closeError({
      code,
      reason,
      ownCode,
      unsent: this.writableLength,
      tcpEndIsEof: this.#options.tcpEndIsEof && tcpEnded,
      socketError,
    });
    if (error || this.#farewell) {
      this.destroy(error ?? undefined);
      return;
    }
    this.#releaseFinal();
    if (!this.#finReceived) this.#pushEnd();
  }

  /**
   * As net.Socket does it: who never reads is to see the end too, if nothing waits before it. A turn later, for an end may come
   * with the handshake, when a promise for the adapter has not got to its user yet.
   */
  #pushEnd(): void {
    this.push(null);
    setImmediate(() => {
      this.read(0);
    });
  }

  #closeOnce(code: number, reason: string): Promise<Error | null> {
    const closed = this.afterClose();
    this.#keepalive?.stop();
    if (this.destroyed) return closed;
    if (this.#link.closed || !this.#link.raw) {
      // An error that a write was told of already is the first one.
      this.destroy(this.errored ?? undefined);
      return closed;
    }
    this.#farewell = { code, reason };
    this.#discarding = true;
    this.#link.resume();
    this.#link.limit(this.#options.closeTimeout, () => {
      this.#onCloseTimeout();
    });
    const sayGoodbye = (): void => {
      this.#link.sayGoodbye(code, reason);
    };
    if (this.writableFinished) {
      sayGoodbye();
    } else {
      this.once('finish', sayGoodbye);
      this.end();
    }
    return closed;
  }

  #onCloseTimeout(): void {
    if (this.#link.closeAnswered) {
      // Only the peer's TCP end is missing, and with it no byte.
      this.#link.cut();
      return;
    }
    const limit = `close() was not answered within ${String(this.#options.closeTimeout)} ms`;
    const stake = `${String(this.writableLength)} written bytes were not all sent, and what was sent may not have arrived`;
    const error = new WsConnError('ETIMEDOUT', `${limit}; ${stake}`);
    if (this.destroyed) {
      // Both directions had ended by themselves: the stream waits for nothing but this.
      this.#tooLate = error;
      this.#link.cut();
    } else {
      this.destroy(error);
    }
  }
}
