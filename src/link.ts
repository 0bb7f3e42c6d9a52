import type { ClientRequest, IncomingMessage } from 'node:http';

import type { RawData, WebSocket } from 'ws';

import { rawSocket, type RawSocket } from './raw-socket.ts';

/** What a link tells its owner. `onClose` comes exactly once, and nothing after it. */
export interface LinkOwner {
  onOpen(): void;
  /** The response of a server that accepted, before `onOpen`. */
  onUpgrade(response: IncomingMessage): void;
  /** The server answered the handshake with an HTTP status. */
  onRefusal(statusCode: number): void;
  onMessage(data: RawData, isBinary: boolean): void;
  onError(error: Error): void;
  onClose(code: number, reason: string): void;
}

/**
 * One WebSocket together with the socket below it: who listens to them, how they can be ended, and the time limit for it.
 * When the WebSocket has closed, no listener and no timer of it is left.
 */
export class Link {
  readonly ws: WebSocket;
  readonly #owner: LinkOwner;
  readonly #closeTimeout: number;
  #raw: RawSocket | null = null;
  #socketError: Error | undefined;
  #tcpEnded = false;
  #ownCode: number | undefined;
  #limit: NodeJS.Timeout | undefined;
  #referenced = true;
  #noDelay: boolean | undefined;
  #tcpKeepAlive: { readonly enable: boolean; readonly initialDelay: number } | undefined;

  constructor(ws: WebSocket, owner: LinkOwner, closeTimeout: number) {
    this.ws = ws;
    this.#owner = owner;
    this.#closeTimeout = closeTimeout;
    // Before whoever listens already: one who closes then must find the adapter knowing what has happened.
    ws.prependListener('message', this.#onMessage);
    ws.prependListener('error', this.#onError);
    ws.prependListener('close', this.#onClose);
    if (ws.readyState === ws.OPEN) {
      this.#attachRaw();
    } else {
      ws.prependListener('open', this.#onOpen);
      ws.prependListener('upgrade', this.#onUpgrade);
      ws.prependListener('unexpected-response', this.#onRefusal);
    }
  }

  get connecting(): boolean {
    return this.ws.readyState === this.ws.CONNECTING;
  }

  get open(): boolean {
    return this.ws.readyState === this.ws.OPEN;
  }

  get closed(): boolean {
    return this.ws.readyState === this.ws.CLOSED;
  }

  /** The socket below, once the handshake is done. */
  get raw(): RawSocket | null {
    return this.#raw;
  }

  /** The code of the Close frame that this side sent of its own accord. */
  get ownCode(): number | undefined {
    return this.#ownCode;
  }

  /** Whether TCP ended in order, with or without a Close frame. */
  get tcpEnded(): boolean {
    return this.#tcpEnded && !this.#socketError;
  }

  get socketError(): Error | undefined {
    return this.#socketError;
  }

  /** Whether both Close frames have passed; ws ends the socket then, and only then. */
  get closeAnswered(): boolean {
    return this.#raw?.writableFinished === true;
  }

  /** Reads on. */
  resume(): void {
    // A WebSocket whose handshake has failed has nothing to read from, and ws would throw.
    if (this.#raw) this.ws.resume();
  }

  /** Starts the closing handshake, unless one side has started it already. */
  sayGoodbye(code: number, reason = ''): void {
    if (!this.open) return;
    this.#ownCode = code;
    this.ws.close(code, reason);
  }

  /**
   * Sends Close and the TCP end together. What the peer sends until it has read that far, such as the answer to a ping, is
   * thrown away: a socket that is gone by then would answer it with a reset, and the peer lose what it has not read.
   */
  partNow(code: number): void {
    this.sayGoodbye(code);
    this.#raw?.end();
    this.resume();
    this.#cutAfterTimeout();
  }

  /** Lets the closing handshake take its time, but no longer than `closeTimeout`; reads on, since the peer's Close is to come. */
  partInOrder(code: number): void {
    this.sayGoodbye(code);
    this.resume();
    this.#cutAfterTimeout();
  }

  /** Ends the connection without a Close frame; a handshake that still goes on is given up. */
  cut(): void {
    this.ws.terminate();
  }

  /** Ends the connection with a TCP reset, or where only bare TCP has one, by a cut. */
  reset(): void {
    try {
      this.#raw?.resetAndDestroy?.();
    } catch {
      // Node resets bare TCP only, and throws ERR_INVALID_HANDLE_TYPE for TLS and pipes: the cut below serves there.
    }
    this.cut();
  }

  /** Calls `expired` after `ms`, unless the WebSocket has opened or closed by then; replaces an earlier limit. */
  limit(ms: number, expired: () => void): void {
    clearTimeout(this.#limit);
    this.#limit = setTimeout(expired, ms);
    if (!this.#referenced) this.#limit.unref();
  }

  setNoDelay(noDelay: boolean): void {
    this.#noDelay = noDelay;
    this.#raw?.setNoDelay?.(noDelay);
  }

  setKeepAlive(enable: boolean, initialDelay: number): void {
    this.#tcpKeepAlive = { enable, initialDelay };
    this.#raw?.setKeepAlive?.(enable, initialDelay);
  }

  ref(): void {
    this.#referenced = true;
    if (!this.#rawIsGone) this.#raw?.ref?.();
    this.#limit?.ref();
  }

  unref(): void {
    this.#referenced = false;
    if (!this.#rawIsGone) this.#raw?.unref?.();
    this.#limit?.unref();
  }

  /** net.Socket would take a ref() after its end for one before its connection, and keep a listener for each. */
  get #rawIsGone(): boolean {
    return this.#raw?.destroyed === true;
  }

  #attachRaw(): void {
    const raw = rawSocket(this.ws);
    if (!raw) return;
    this.#raw = raw;
    raw.on('error', this.#onSocketError);
    raw.on('end', this.#onTcpEnd);
    raw.on('finish', this.#linger);
    if (!this.#referenced) raw.unref?.();
    if (this.#noDelay !== undefined) raw.setNoDelay?.(this.#noDelay);
    if (this.#tcpKeepAlive) raw.setKeepAlive?.(this.#tcpKeepAlive.enable, this.#tcpKeepAlive.initialDelay);
  }

  readonly #onOpen = (): void => {
    clearTimeout(this.#limit);
    this.#limit = undefined;
    this.#attachRaw();
    this.#owner.onOpen();
  };

  readonly #onUpgrade = (response: IncomingMessage): void => {
    this.#owner.onUpgrade(response);
  };

  readonly #onRefusal = (_request: ClientRequest, response: IncomingMessage): void => {
    this.#owner.onRefusal(response.statusCode ?? 0);
  };

  readonly #onMessage = (data: RawData, isBinary: boolean): void => {
    this.#owner.onMessage(data, isBinary);
  };

  readonly #onError = (error: Error): void => {
    this.#owner.onError(error);
  };

  readonly #onClose = (code: number, reason: Buffer): void => {
    clearTimeout(this.#limit);
    const { ws } = this;
    ws.off('open', this.#onOpen);
    ws.off('upgrade', this.#onUpgrade);
    ws.off('unexpected-response', this.#onRefusal);
    ws.off('message', this.#onMessage);
    ws.off('error', this.#onError);
    ws.off('close', this.#onClose);
    this.#raw?.off('error', this.#onSocketError);
    this.#raw?.off('end', this.#onTcpEnd);
    this.#raw?.off('finish', this.#linger);
    this.#owner.onClose(code, reason.toString());
  };

  readonly #onSocketError = (error: Error): void => {
    this.#socketError = error;
  };

  readonly #onTcpEnd = (): void => {
    this.#tcpEnded = true;
    this.#linger();
  };

  /**
   * Once one side of TCP has ended, nothing but the end of the other is to come. ws waits for it as long as it is told to,
   * and connect() and createServer() tell it to wait without end, so that a slow reader may take its time before this.
   */
  readonly #linger = (): void => {
    if (!this.#limit) this.#cutAfterTimeout();
  };

  #cutAfterTimeout(): void {
    this.limit(this.#closeTimeout, () => {
      this.cut();
    });
  }
}
