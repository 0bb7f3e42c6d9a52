import type { WebSocket } from 'ws';

import type { WriteCallback } from '../base/pending-write.ts';
import { SocketDuplex } from '../base/socket-duplex.ts';
import type { Write } from '../base/write-run.ts';
import type { Keepalive } from '../keepalive/keepalive.ts';
import type { KeepaliveOptions } from '../keepalive/options.ts';
import { checkClose, NORMAL_CLOSURE } from '../websocket/close-codes.ts';
import type { Done } from './close-procedure.ts';
import type { Transport } from './transport.ts';
import type { AddListener } from './typed-listeners.ts';

// Duplex has these methods; here are their types for the events that are no stream's. An abstract
// class cannot say that by itself.
// eslint-disable-next-line @typescript-eslint/no-unsafe-declaration-merging -- nothing is left to assign
export interface WsConnSocket {
  addListener: AddListener<this>;
  on: AddListener<this>;
  once: AddListener<this>;
  prependListener: AddListener<this>;
  prependOnceListener: AddListener<this>;
}

/**
 * Stands for a `net.Socket` over WebSockets: over one as `WsConnAdapter`, over one after another as
 * `ResumableSocket`. What `connect()` and `createServer()` give is one of the two.
 *
 * The events are those of `net.Socket`, and 'pong' with the round trip in ms. A `ResumableSocket`
 * has 'disconnect' and 'reconnect' too.
 */
// eslint-disable-next-line @typescript-eslint/no-unsafe-declaration-merging -- see above
export abstract class WsConnSocket extends SocketDuplex {
  #keepalive: Keepalive | null = null;
  #closed: Promise<Error | null> | null = null;

  /** The WebSocket below; null while there is none. */
  abstract get ws(): WebSocket | null;
  /** What carries the bytes. @internal */
  protected abstract get transport(): Transport;
  /** Makes what `ping()` returns. @internal */
  protected abstract makeKeepalive(options: KeepaliveOptions | undefined): Keepalive;

  /** @internal */
  override get givesMemoryBack(): boolean {
    return this.transport.givesMemoryBack;
  }

  /** @internal */
  override get maxMessageBytes(): number {
    return this.transport.maxMessageBytes;
  }

  override get connecting(): boolean {
    return this.transport.connecting && !this.destroyed;
  }

  override get bytesRead(): number {
    return this.transport.bytesRead;
  }

  override get bytesWritten(): number {
    return this.transport.bytesDone + this.writableLength;
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
    const keepalive = this.makeKeepalive(options);
    this.#keepalive = keepalive;
    keepalive.belongTo(this);
    if (this.destroyed || this.transport.ending) keepalive.stop();
    if (!this.transport.referenced) keepalive.unref();
    return keepalive;
  }

  /**
   * Ends the connection, as `net.Socket` does: with nothing unsent in order, so that the peer sees
   * 'end', else at once, so that it sees `ECONNRESET`.
   */
  override destroy(error?: Error | null): this {
    if (this.destroyed) this.transport.destroyAgain(error ?? null);
    return super.destroy(error);
  }

  /**
   * Resets the connection: TCP RST where there is bare TCP below, an end without Close elsewhere.
   * The peer sees `ECONNRESET`.
   */
  override resetAndDestroy(): this {
    this.transport.reset();
    return this;
  }

  override setNoDelay(noDelay = true): this {
    this.transport.setNoDelay(noDelay);
    return this;
  }

  override setKeepAlive(enable: unknown = false, initialDelay = 0): this {
    this.transport.setKeepAlive(Boolean(enable), initialDelay);
    return this;
  }

  override ref(): this {
    this.transport.setReferenced(true);
    this.#keepalive?.ref();
    return this;
  }

  override unref(): this {
    this.transport.setReferenced(false);
    this.#keepalive?.unref();
    return this;
  }

  /** Reads as every Readable does. */
  override read(size?: number): Buffer | string | null {
    const { received } = this.transport;
    received.beforeRead(size);
    const chunk = super.read(size) as Buffer | string | null;
    received.afterRead(size, chunk !== null);
    if (chunk !== null || received.wanted > 0) this.transport.onRead();
    return chunk;
  }

  override _read(): void {
    this.transport.received.want();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: WriteCallback): void {
    this.transport.write(chunk, callback);
  }

  override _writev(writes: readonly Write[], callback: WriteCallback): void {
    this.transport.writev(writes, callback);
  }

  override _final(callback: () => void): void {
    this.transport.finish(callback);
  }

  protected override hangUp(error: Error | null, done: Done): void {
    this.#keepalive?.stop();
    this.transport.hangUp(error, (late) => {
      this.transport.dropWrite((settle) => {
        this.settleLost(error ?? late, settle);
      });
      done(late);
    });
  }

  /** @internal */
  onKeepalivePong(rtt: number): void {
    this.emit('pong', rtt);
  }

  /** @internal */
  onKeepaliveDead(_error: Error): void {
    // For a subclass whose connection ends with its WebSocket.
  }

  /** ws was given a message. @internal */
  protected onMessageSent(): void {
    this.#keepalive?.onSent();
  }

  #closeOnce(code: number, reason: string): Promise<Error | null> {
    const closed = this.afterClose();
    this.#keepalive?.stop();
    this.transport.close(code, reason);
    return closed;
  }
}
