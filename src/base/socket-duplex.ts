import type net from 'node:net';
import { Duplex, type DuplexOptions } from 'node:stream';

import { booleanOption, checkObject, idleTimeoutOption, integerOption } from './check-option.ts';
import { invalidArgType, streamDestroyed } from './errors.ts';

/** Addresses of both ends of a connection, by the names that `net.Socket` gives them. */
export interface Addresses {
  readonly remoteAddress?: string | undefined;
  readonly remoteFamily?: string | undefined;
  readonly remotePort?: number | undefined;
  readonly localAddress?: string | undefined;
  readonly localFamily?: string | undefined;
  readonly localPort?: number | undefined;
}

export interface SocketDuplexOptions {
  /**
   * Whether the writable side stays open after the peer has ended its own. As in `net.Socket`, the
   * default ends it.
   * @default false
   */
  readonly allowHalfOpen?: boolean | undefined;
  /**
   * Bytes that may wait to be read before the peer is held back.
   * @default 65536
   */
  readonly readableHighWaterMark?: number | undefined;
  /**
   * Bytes that may wait to be sent before `write()` returns false.
   * @default 65536
   */
  readonly writableHighWaterMark?: number | undefined;
  /** Destroys the stream with an `AbortError` when it fires. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Event by which a stream tells join() that its peer is gone in order: nobody can hear what is
 * written any more, and what came before may still be read.
 * @internal
 */
export const PEER_GONE: unique symbol = Symbol('peer gone');

const DEFAULT_HIGH_WATER_MARK = 65_536;

type WriteDone = (error: Error | null | undefined) => void;

/**
 * Checks the options and fills in the defaults; throws `ERR_INVALID_ARG_TYPE` or `ERR_OUT_OF_RANGE`
 * with the name.
 */
export function checkSocketOptions(
  options: SocketDuplexOptions,
): Pick<DuplexOptions, 'allowHalfOpen' | 'readableHighWaterMark' | 'writableHighWaterMark'> {
  checkObject('options', options);
  const {
    allowHalfOpen,
    readableHighWaterMark: toRead,
    writableHighWaterMark: toWrite,
    signal,
  } = options;
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw invalidArgType('options.signal', 'an AbortSignal', signal);
  }
  return {
    allowHalfOpen: booleanOption('options.allowHalfOpen', allowHalfOpen, false),
    readableHighWaterMark: integerOption(
      'options.readableHighWaterMark',
      toRead,
      DEFAULT_HIGH_WATER_MARK,
      0,
    ),
    writableHighWaterMark: integerOption(
      'options.writableHighWaterMark',
      toWrite,
      DEFAULT_HIGH_WATER_MARK,
      0,
    ),
  };
}

/**
 * Gives any byte stream what every `net.Socket` has and a plain Duplex has not: addresses,
 * counters, an idle timeout, `readyState`, `destroySoon()`, and 'close' with its `hadError`. A
 * value of it is assignable to the type `net.Socket`.
 *
 * It has no transport of its own: a subclass says how to read, write and hang up.
 */
export abstract class SocketDuplex extends Duplex implements net.Socket {
  readonly remoteAddress: string | undefined;
  readonly remoteFamily: string | undefined;
  readonly remotePort: number | undefined;
  readonly localAddress?: string;
  readonly localFamily?: string;
  readonly localPort?: number;
  /** Idle time in ms after which 'timeout' is emitted, as last set; undefined until then. */
  timeout?: number;
  /** Always null; `net.Socket` has the `net.Server` that accepted it here. */
  readonly server: net.Server | null = null;
  /** Always empty: connection attempts belong to the transport. */
  readonly autoSelectFamilyAttemptedAddresses: string[] = [];
  #idle: NodeJS.Timeout | undefined;
  /** What ended it, or null. */
  #error: Error | null = null;
  #closeEmitted = false;
  #whenClosed: (() => void)[] = [];
  #peerIsGone = false;
  /** Whether a write is being let go of: its bytes are lost, and there was no error. */
  #losing = false;

  constructor(options: SocketDuplexOptions = {}) {
    super({
      ...checkSocketOptions(options),
      // 'close' carries hadError, which Duplex does not know of: _destroy() emits it.
      emitClose: false,
    });
  }

  /** Whether the connection is still being made. */
  abstract get connecting(): boolean;
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
   * Lets go of the transport and calls `done` when nothing of it is left, where there was no error
   * with the one that came up meanwhile, if any; called exactly once, from `_destroy()`.
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
   * Whether the peer is gone in order, as `PEER_GONE` has told.
   * @internal
   */
  get peerIsGone(): boolean {
    return this.#peerIsGone;
  }

  /**
   * Bytes of the largest message that the transport takes; undefined where the transport has no
   * messages.
   * @internal
   */
  get maxMessageBytes(): number | undefined {
    return undefined;
  }

  /** Closes as `close()` does, at the end of an `await using` block. */
  override async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Whether the connection is still being made, as in `net.Socket`. */
  get pending(): boolean {
    return this.connecting;
  }

  /** Tells which directions are open: `opening`, `open`, `readOnly`, `writeOnly` or `closed`. */
  get readyState(): net.SocketReadyState {
    if (this.connecting) return 'opening';
    if (this.readable) return this.writable ? 'open' : 'readOnly';
    return this.writable ? 'writeOnly' : 'closed';
  }

  /** Bytes that wait to be sent; the older name of `writableLength`. */
  get bufferSize(): number {
    return this.writableLength;
  }

  /** Gives the local address, or an empty object before there is one. */
  address(): net.AddressInfo | Record<string, never> {
    const { localAddress: address, localFamily: family, localPort: port } = this;
    return address === undefined || family === undefined || port === undefined
      ? {}
      : { address, family, port };
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
    clearTimeout(this.#idle);
    this.#idle = undefined;
    this.timeout = limit;
    if (callback) this.removeListener('timeout', callback);
    if (limit > 0 && !this.destroyed) {
      if (callback) this.once('timeout', callback);
      this.#idle = setTimeout(() => this.emit('timeout'), limit);
      // As in net.Socket: an idle limit is no reason to keep the process alive.
      this.#idle.unref();
    }
    return this;
  }

  /**
   * Does nothing unless the transport has Nagle's algorithm to turn off; for libraries that call it
   * on every socket.
   */
  setNoDelay(_noDelay?: boolean): this {
    return this;
  }

  /**
   * Does nothing unless the transport has TCP keepalives; for libraries that call it on every
   * socket.
   */
  setKeepAlive(_enable?: unknown, _initialDelay?: number): this {
    return this;
  }

  /** Gives 0, the default class: a stream within a connection has no IP header of its own. */
  getTypeOfService(): number {
    return 0;
  }

  /** Does nothing: a stream within a connection has no IP header of its own. */
  setTypeOfService(_tos: number): this {
    return this;
  }

  /** Lets the connection keep the process alive again, where the transport can. */
  ref(): this {
    return this;
  }

  /** Lets the process end although the connection is open, where the transport can. */
  unref(): this {
    return this;
  }

  /**
   * Makes no connection, since there is one already: it reports 'connect' for libraries that insist
   * on calling it (pg does), at once or when the connection is made. The address is ignored.
   */
  connect(...args: unknown[]): this {
    const listener = args.at(-1);
    if (typeof listener === 'function') this.once('connect', listener as () => void);
    if (!this.connecting) {
      process.nextTick(() => {
        if (!this.destroyed) this.reportOpen();
      });
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
      this.off('finish', this.#onFinish);
      this.once('finish', this.#onFinish);
    }
  }

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
    if (typeof encoding === 'function') return super.write(chunk, this.#truthful(encoding));
    // Writable takes undefined for its default encoding, which its type does not say.
    const given = encoding as BufferEncoding;
    return typeof callback === 'function'
      ? super.write(chunk, given, this.#truthful(callback))
      : super.write(chunk, given, callback);
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    clearTimeout(this.#idle);
    this.#idle = undefined;
    this.hangUp(error, (late = null) => {
      const outcome = error ?? late;
      this.#error = outcome;
      callback(outcome);
      // Node emits 'error' on the next tick; 'close' is always the last event.
      process.nextTick(() => {
        this.#emitClose(outcome !== null);
      });
    });
  }

  readonly #onFinish = (): void => {
    this.destroy();
  };

  /**
   * Calls back once after 'close', also where a user has removed all listeners, as libraries do
   * that wrap a socket in TLS.
   * @internal
   */
  onceClosed(callback: () => void): void {
    if (this.#closeEmitted) callback();
    else this.#whenClosed.push(callback);
  }

  #emitClose(hadError: boolean): void {
    this.#closeEmitted = true;
    try {
      this.emit('close', hadError);
    } finally {
      for (const callback of this.#whenClosed.splice(0)) callback();
    }
  }

  /**
   * Takes over the addresses of the transport; they stay readable after the end, for whoever logs
   * it.
   */
  protected adoptAddresses(from: Addresses): void {
    const { remoteAddress, remoteFamily, remotePort, localAddress, localFamily, localPort } = from;
    Object.assign(this, {
      remoteAddress,
      remoteFamily,
      remotePort,
      localAddress,
      localFamily,
      localPort,
    });
  }

  /**
   * Lets go of a write that is lost. What Writable is told of it becomes `errored`, which is
   * settled: so it is told of the error that ended the stream or, as by net.Socket, of none. The
   * callbacks of the write hear the truth either way.
   */
  protected settleLost(error: Error | null, settle: (told: Error | null) => void): void {
    this.#losing = error === null;
    settle(error);
    this.#losing = false;
  }

  #truthful(callback: WriteDone): WriteDone {
    return (error) => {
      callback(error ?? (this.#losing ? streamDestroyed('write') : error));
    };
  }

  /** Tells join() that nobody can hear what is written any more. */
  protected reportPeerGone(): void {
    this.#peerIsGone = true;
    this.emit(PEER_GONE);
  }

  /** Tells the users of the stream that the connection is there. */
  protected reportOpen(): void {
    this.markActive();
    this.emit('connect');
    this.emit('ready');
  }

  /** Restarts the idle clock: payload has moved. */
  protected markActive(): void {
    this.#idle?.refresh();
  }

  /**
   * Waits until 'close' was emitted and gives the first error, or null; from here on that error
   * counts as handled.
   */
  protected afterClose(): Promise<Error | null> {
    if (this.#closeEmitted) return Promise.resolve(this.#error);
    return new Promise((resolve) => {
      // Whoever holds the promise gets the error from it, so an 'error' event must not bring the
      // process down.
      this.on('error', () => undefined);
      this.onceClosed(() => {
        resolve(this.#error);
      });
    });
  }
}
