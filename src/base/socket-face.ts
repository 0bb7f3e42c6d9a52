import type net from 'node:net';
import { Duplex } from 'node:stream';

/** Addresses of both ends of a connection, by the names that `net.Socket` gives them. */
export interface Addresses {
  readonly remoteAddress?: string | undefined;
  readonly remoteFamily?: string | undefined;
  readonly remotePort?: number | undefined;
  readonly localAddress?: string | undefined;
  readonly localFamily?: string | undefined;
  readonly localPort?: number | undefined;
}

/**
 * Answers what libraries ask a `net.Socket` beside its bytes: its addresses and state, and the
 * settings of TCP and IP, which do nothing here: a stream within another connection has none.
 */
export abstract class SocketFace extends Duplex {
  readonly remoteAddress: string | undefined;
  readonly remoteFamily: string | undefined;
  readonly remotePort: number | undefined;
  readonly localAddress?: string;
  readonly localFamily?: string;
  readonly localPort?: number;
  /** Always null; `net.Socket` has the `net.Server` that accepted it here. */
  readonly server: net.Server | null = null;

  /** Whether the connection is still being made. */
  abstract get connecting(): boolean;
  protected abstract reportOpen(): void;

  /** Always empty: connection attempts belong to the transport. */
  get autoSelectFamilyAttemptedAddresses(): string[] {
    return [];
  }

  /** Whether the connection is still being made, as in `net.Socket`. */
  get pending(): boolean {
    return this.connecting;
  }

  /** Which directions are open: `opening`, `open`, `readOnly`, `writeOnly` or `closed`. */
  get readyState(): net.SocketReadyState {
    if (this.connecting) return 'opening';
    if (this.readable) return this.writable ? 'open' : 'readOnly';
    return this.writable ? 'writeOnly' : 'closed';
  }

  /** Bytes that wait to be sent; the older name of `writableLength`. */
  get bufferSize(): number {
    return this.writableLength;
  }

  /** Returns the local address, or an empty object before there is one. */
  address(): net.AddressInfo | Record<string, never> {
    const { localAddress: address, localFamily: family, localPort: port } = this;
    return address === undefined || family === undefined || port === undefined
      ? {}
      : { address, family, port };
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

  /** Returns 0, the default class: a stream within a connection has no IP header of its own. */
  getTypeOfService(): number {
    return 0;
  }

  /** Does nothing: a stream within a connection has no IP header of its own. */
  setTypeOfService(_tos: number): this {
    return this;
  }

  /** Makes the connection keep the process alive again, where the transport can. */
  ref(): this {
    return this;
  }

  /** Allows the process to end although the connection is open, where the transport can. */
  unref(): this {
    return this;
  }

  /**
   * For a subclass: takes over the addresses of the transport. They stay readable after the end,
   * for whoever logs it.
   */
  protected adoptAddresses(from: Addresses): void {
    const own = this as { -readonly [Name in keyof Addresses]: Addresses[Name] };
    own.remoteAddress = from.remoteAddress;
    own.remoteFamily = from.remoteFamily;
    own.remotePort = from.remotePort;
    own.localAddress = from.localAddress;
    own.localFamily = from.localFamily;
    own.localPort = from.localPort;
  }
}
