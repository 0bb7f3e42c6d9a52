import type { ClientRequest, IncomingMessage } from 'node:http';

import type { RawData, WebSocket } from 'ws';

import { isolate } from '../base/isolate.ts';
import { linger, probe } from './lingering.ts';
import {
  dataListenerOfWs,
  rawSocket,
  type RawSocket,
  refCloseTimer,
} from '../websocket/raw-socket.ts';
import { resetSocket } from '../base/reset-socket.ts';

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
 * One WebSocket together with the socket below it: who listens to them, how they can be ended, and
 * the time limit for it. When the WebSocket has closed, no listener and no timer of it is left.
 */
export class Link {
  readonly ws: WebSocket;
  readonly #owner: LinkOwner;
  /** Time in ms that the peer has to end TCP once it has sent Close. */
  readonly #closeTimeout: number;
  #raw: RawSocket | null = null;
  #dataListenerOfWs: unknown;
  #socketError: Error | undefined;
  #tcpEnded = false;
  #ownCode: number | undefined;
  #limit: NodeJS.Timeout | undefined;
  #released = false;
  #referenced = true;
  #noDelay: boolean | undefined;
  #tcpKeepAlive: { readonly enable: boolean; readonly initialDelay: number } | undefined;

  constructor(ws: WebSocket, owner: LinkOwner, closeTimeout: number) {
    this.ws = ws;
    this.#owner = owner;
    this.#closeTimeout = closeTimeout;
    // Before whoever listens already: one who closes then must find the adapter knowing what has
    // happened.
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

  /**
   * Starts the closing handshake, unless one side has started it already. Nothing may follow it, so
   * the kernel asks from here on.
   */
  sendClose(code: number, reason = ''): void {
    if (!this.open) return;
    this.#ownCode = code;
    this.ws.close(code, reason);
    refCloseTimer(this.ws, this.#referenced);
    if (this.#raw) probe(this.#raw);
  }

  /** Ends TCP in this direction, behind what was sent. */
  endTcp(): void {
    this.#raw?.end();
  }

  /** Ends the connection without a Close frame; a handshake that still goes on is given up. */
  terminate(): void {
    this.ws.terminate();
  }

  /**
   * Ends the connection with a TCP reset, or, where there is no bare TCP below, without a Close
   * frame.
   */
  reset(): void {
    if (this.#raw) resetSocket(this.#raw);
    else this.terminate();
  }

  /**
   * Leaves the WebSocket to itself until its peer has ended it too; no listener and no timer of
   * this is left.
   */
  linger(): void {
    this.#letGo();
    if (this.#raw) linger(this.ws, this.#raw);
  }

  /**
   * Calls `expired` after `ms`, unless the WebSocket has opened or closed by then; replaces an
   * earlier limit.
   */
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
    if (!this.closed) refCloseTimer(this.ws, true);
  }

  unref(): void {
    this.#referenced = false;
    if (!this.#rawIsGone) this.#raw?.unref?.();
    this.#limit?.unref();
    refCloseTimer(this.ws, false);
  }

  /**
   * net.Socket would take a ref() after its end for one before its connection, and keep a listener
   * for each.
   */
  get #rawIsGone(): boolean {
    return this.#raw?.destroyed === true;
  }

  #attachRaw(): void {
    const raw = rawSocket(this.ws);
    if (!raw) return;
    this.#raw = raw;
    raw.on('error', this.#onSocketError);
    raw.on('end', this.#onTcpEnd);
    raw.on('finish', this.#awaitTcpEnd);
    this.#dataListenerOfWs = dataListenerOfWs(raw);
    raw.on('data', this.#onData);
    raw.on('removeListener', this.#onListenerRemoved);
    if (!this.#referenced) raw.unref?.();
    if (this.#noDelay !== undefined) raw.setNoDelay?.(this.#noDelay);
    if (this.#tcpKeepAlive)
      raw.setKeepAlive?.(this.#tcpKeepAlive.enable, this.#tcpKeepAlive.initialDelay);
  }

  readonly #onOpen = (): void => {
    clearTimeout(this.#limit);
    this.#limit = undefined;
    this.#attachRaw();
    isolate(() => {
      this.#owner.onOpen();
    });
  };

  readonly #onUpgrade = (response: IncomingMessage): void => {
    this.#owner.onUpgrade(response);
  };

  readonly #onRefusal = (_request: ClientRequest, response: IncomingMessage): void => {
    this.#owner.onRefusal(response.statusCode ?? 0);
  };

  readonly #onMessage = (data: RawData, isBinary: boolean): void => {
    isolate(() => {
      this.#owner.onMessage(data, isBinary);
    });
  };

  readonly #onError = (error: Error): void => {
    isolate(() => {
      this.#owner.onError(error);
    });
  };

  readonly #onClose = (code: number, reason: Buffer): void => {
    this.#letGo();
    this.#owner.onClose(code, reason.toString());
  };

  #letGo(): void {
    this.#released = true;
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
    this.#raw?.off('finish', this.#awaitTcpEnd);
    this.#raw?.off('removeListener', this.#onListenerRemoved);
    this.#raw?.off('data', this.#onData);
  }

  readonly #onSocketError = (error: Error): void => {
    this.#socketError = error;
  };

  readonly #onTcpEnd = (): void => {
    this.#tcpEnded = true;
    this.#awaitTcpEnd();
  };

  /**
   * ws takes its 'data' listener away when it reads no more: the peer's Close has come, or frames
   * that it cannot read. ws tells of neither before TCP has ended, which may be never.
   */
  readonly #onListenerRemoved = (_event: string, listener: unknown): void => {
    if (listener === this.#dataListenerOfWs) this.#awaitTcpEnd();
  };

  /**
   * Is there so that Node tells when ws removes its own: of the only listener for an event it says
   * nothing.
   */
  readonly #onData = (): void => undefined;

  /**
   * The peer has sent Close or ended TCP, so nothing comes that matters, and what still waits here
   * it will not take: it has `closeTimeout` to let our Close through and to end. What the kernel
   * holds it goes on to deliver, at the peer's pace, after the socket is closed: no byte may follow
   * the peer's Close, and so no reset run over it.
   */
  readonly #awaitTcpEnd = (): void => {
    if (this.#limit || this.#released) return;
    this.limit(this.#closeTimeout, () => {
      this.terminate();
    });
  };
}
