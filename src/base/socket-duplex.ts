import type net from 'node:net';

import { idleTimeoutOption } from './check-option.ts';
import { CloseOutcome } from './close-outcome.ts';
import { Deadline } from './deadline.ts';
import { invalidArgType } from './errors.ts';
import { LostWrites, type WriteDone } from './pending-write.ts';
import { SocketFace } from './socket-face.ts';
import { checkSocketOptions, type SocketDuplexOptions } from './socket-options.ts';

export type { Addresses } from './socket-face.ts';
export type { SocketDuplexOptions } from './socket-options.ts';

/**
 * Event by which a stream tells join() that its peer is gone in order: nobody can hear what is
 * written any more, and what came before may still be read.
 * @internal
 */
export const PEER_GONE: unique symbol = Symbol('peer gone');

/**
 * Adds to a byte stream what every `net.Socket` has and a plain Duplex has not: addresses,
 * counters, an idle timeout, `readyState`, `destroySoon()`, and 'close' with its `hadError`. A
 * value of it is assignable to the type `net.Socket`.
 *
 * It is to be extended, and has no transport of its own. A subclass must
 * - read and write as every Duplex does: `_read()`, `_write()` or `_writev()`, `_final()`;
 * - say `connecting`, `bytesRead` and `bytesWritten`;
 * - end the transport in `hangUp()`, and not override `_destroy()`, which calls it;
 * - end itself in `close()`, which returns `afterClose()`, and in `resetAndDestroy()`;
 * - call `markActive()` whenever payload has moved, for the idle timeout;
 * - call `reportOpen()` once, if it ever was `connecting`.
 *
 * It may
 * - call `adoptAddresses()` when the transport has addresses;
 * - call `settleLost()` for a write that Writable waits for when the stream is destroyed, and
 *   `reportPeerGone()` when the peer has ended both directions in order;
 * - override `setNoDelay()`, `setKeepAlive()`, `ref()` and `unref()`, which else do nothing.
 *
 * A whole one, of the port of a `MessageChannel`: each message is a chunk, null is the end.
 *
 * ```ts
 * class PortSocket extends SocketDuplex {
 *   readonly connecting = false;
 *   bytesRead = 0;
 *   readonly #port: MessagePort;
 *   #bytesSent = 0;
 *   #closed: Promise<Error | null> | null = null;
 *
 *   constructor(port: MessagePort, options?: SocketDuplexOptions) {
 *     super(options);
 *     this.#port = port;
 *     port.on('message', (chunk: Uint8Array | null) => {
 *       this.bytesRead += chunk?.length ?? 0;
 *       this.markActive();
 *       this.push(chunk);
 *     });
 *     port.on('close', () => this.push(null));
 *   }
 *
 *   get bytesWritten(): number {
 *     return this.#bytesSent + this.writableLength;
 *   }
 *
 *   override _read(): void {
 *     // A port cannot be held back.
 *   }
 *
 *   override _write(chunk: Buffer, _encoding: string, callback: () => void): void {
 *     this.#port.postMessage(chunk);
 *     this.#bytesSent += chunk.length;
 *     this.markActive();
 *     callback();
 *   }
 *
 *   override _final(callback: () => void): void {
 *     this.#port.postMessage(null);
 *     callback();
 *   }
 *
 *   protected override hangUp(_error: Error | null, done: () => void): void {
 *     this.#port.close();
 *     done();
 *   }
 *
 *   resetAndDestroy(): this {
 *     return this.destroy();
 *   }
 *
 *   close(): Promise<Error | null> {
 *     this.#closed ??= this.afterClose();
 *     this.destroySoon();
 *     return this.#closed;
 *   }
 * }
 * ```
 */
export abstract class SocketDuplex extends SocketFace implements net.Socket {
  /** Idle time in ms after which 'timeout' is emitted, as last set; undefined until then. */
  timeout?: number;
  #idle: Deadline | null = null;
  readonly #outcome = new CloseOutcome(this);
  readonly #lostWrites = new LostWrites();
  #peerIsGone = false;

  /** @throws `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE` for an option */
  constructor(options: SocketDuplexOptions = {}) {
    const { allowHalfOpen, readableHighWaterMark, writableHighWaterMark } =
      checkSocketOptions(options);
    super({
      allowHalfOpen,
      readableHighWaterMark,
      writableHighWaterMark,
      // 'close' carries hadError, which Duplex does not know of: _destroy() emits it.
      emitClose: false,
    });
  }

  /** Bytes that the peer sent and that arrived here, without framing. */
  abstract get bytesRead(): number;
  /** Bytes written so far, those that still wait included, without framing. */
  abstract get bytesWritten(): number;
  /** Ends the connection abruptly: the peer sees `ECONNRESET`. */
  abstract resetAndDestroy(): this;
  /**
   * Ends the connection in order, once: every call returns the same promise. It resolves after
   * 'close', with the first error that the connection ever had, or null. It never rejects.
   */
  abstract close(): Promise<Error | null>;
  /**
   * For a subclass: ends the transport, and calls `done` when nothing of it is left. Called exactly
   * once, when the stream is destroyed.
   *
   * @param error - what the stream was destroyed with, or null
   * @param done - to be called once; where `error` is null, with an error that came up meanwhile
   */
  protected abstract hangUp(error: Error | null, done: (late?: Error | null) => void): void;

  /**
   * Whether nobody reads the memory of a write any more once its callback has come, so that the
   * writer may use it again.
   * @internal
   */
  get givesMemoryBack(): boolean {
    return false;
  }

  /**
   * Whether the peer is gone in order, as `PEER_GONE` has reported.
   * @internal
   */
  get peerIsGone(): boolean {
    return this.#peerIsGone;
  }

  /**
   * Bytes of the largest message that the transport takes; undefined where it has no messages.
   * @internal
   */
  get maxMessageBytes(): number | undefined {
    return undefined;
  }

  /** Closes as `close()` does, at the end of an `await using` block. */
  override async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /**
   * Emits 'timeout' once no byte of payload has moved for `timeout` ms; 0 turns it off. Pings are
   * no payload, as TCP keepalives are not. The connection stays open: what to do about it is the
   * caller's choice.
   * @throws `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`
   */
  setTimeout(timeout: number, callback?: () => void): this {
    if (callback !== undefined && typeof callback !== 'function') {
      throw invalidArgType('callback', 'of type function', callback);
    }
    const limit = idleTimeoutOption('timeout', timeout);
    this.#idle?.stop();
    this.timeout = limit;
    if (callback) this.removeListener('timeout', callback);
    if (limit > 0 && !this.destroyed) {
      if (callback) this.once('timeout', callback);
      // As in net.Socket: an idle limit is no reason to keep the process alive.
      this.#idle ??= new Deadline(() => this.emit('timeout'));
      this.#idle.start(limit);
    }
    return this;
  }

  /**
   * Ends the writable side and destroys the stream as soon as everything written has been handed
   * on.
   */
  destroySoon(): void {
    if (this.writable) this.end();
    if (this.writableFinished) {
      this.destroy();
    } else {
      // Once for all callers: a listener of each would look like a leak.
      this.off('finish', SocketDuplex.#onFinish);
      this.once('finish', SocketDuplex.#onFinish);
    }
  }

  static readonly #onFinish = function (this: SocketDuplex): void {
    this.destroy();
  };

  /**
   * Writes as every Writable does. Where `destroy()` without an error loses the bytes, the callback
   * gets `ERR_STREAM_DESTROYED`, also for those of which net.Socket says that all went well.
   */
  override write(chunk: unknown, callback?: WriteDone): boolean;
  override write(
    chunk: unknown,
    encoding: BufferEncoding | undefined,
    callback?: WriteDone,
  ): boolean;
  override write(
    chunk: unknown,
    encoding?: BufferEncoding | WriteDone,
    callback?: WriteDone,
  ): boolean {
    if (typeof encoding === 'function') return super.write(chunk, this.#lostWrites.wrap(encoding));
    // Writable takes undefined for its default encoding, which its type does not say.
    const given = encoding as BufferEncoding;
    return typeof callback === 'function'
      ? super.write(chunk, given, this.#lostWrites.wrap(callback))
      : super.write(chunk, given, callback);
  }

  /** Destroys the stream, as every Duplex does; the first error that it had stays its error. */
  override destroy(error?: Error | null): this {
    // A write may have met one already whose 'error' is still to come.
    return super.destroy(this.errored ?? error ?? undefined);
  }

  /** @internal A subclass has `hangUp()` for this. */
  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#idle?.stop();
    this.hangUp(error, (late = null) => {
      const outcome = error ?? late;
      this.#outcome.setError(outcome);
      callback(outcome);
      // Node emits 'error' on the next tick; 'close' is always the last event.
      process.nextTick(() => {
        this.#outcome.emitClose(outcome !== null);
      });
    });
  }

  /**
   * Calls back once after 'close', also where a user has removed all listeners, as libraries do
   * that wrap a socket in TLS.
   * @internal
   */
  onceClosed(callback: () => void): void {
    this.#outcome.onceClosed(callback);
  }

  /**
   * For a subclass: waits until 'close' was emitted and resolves with the first error, or null.
   * From here on that error counts as handled. What `close()` is to return.
   */
  protected afterClose(): Promise<Error | null> {
    return this.#outcome.afterClose();
  }

  /**
   * For a subclass: settles the write that Writable waits for when the stream is destroyed. Calls
   * `settle` at once with what Writable may be told, which is the error that ended the stream, or
   * null as by net.Socket; the callbacks of the write get `ERR_STREAM_DESTROYED` then.
   */
  protected settleLost(error: Error | null, settle: (told: Error | null) => void): void {
    this.#lostWrites.settle(error, settle);
  }

  /**
   * For a subclass: tells join() that the peer has ended both directions in order, so that nobody
   * can hear what is written any more. What came before may still be read.
   */
  protected reportPeerGone(): void {
    this.#peerIsGone = true;
    this.emit(PEER_GONE);
  }

  /** For a subclass: emits 'connect' and 'ready', when the connection is there. */
  protected override reportOpen(): void {
    this.markActive();
    this.emit('connect');
    this.emit('ready');
  }

  /** For a subclass: restarts the idle timeout, when payload has moved. */
  protected markActive(): void {
    this.#idle?.refresh();
  }
}
