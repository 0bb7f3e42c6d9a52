import type { ClientRequest, IncomingMessage } from 'node:http';

import type { RawData, WebSocket } from 'ws';

import { isolate } from '../../base/errors.ts';
import type { PausableSource } from '../../base/receive-buffer.ts';
import { resetSocket } from '../../base/reset-socket.ts';
import { RefusalReader } from '../../websocket/refusal.ts';
import type { UnfinishedMessage, UnfinishedMessageHost } from '../../websocket/unfinished-bytes.ts';
import { rawSocket, type RawSocket, refCloseTimer } from '../../websocket/raw-socket.ts';
import type { LinkEvents, LinkSettings } from './link-events.ts';
import { linger, probe } from './lingering.ts';
import { RawSocketSettings } from './raw-socket-settings.ts';
import { LINK, type Linked } from './linked.ts';
import { SocketWatch, type SocketWatchHost } from './socket-watch.ts';

/**
 * One WebSocket together with the socket below it: who listens to them, how they can be ended, and
 * the time limit for it. When the WebSocket has closed, no listener and no timer of it is left.
 */
export class Link implements PausableSource, SocketWatchHost, UnfinishedMessageHost {
  readonly ws: Linked<Link>;
  /** Settings of the socket below. */
  readonly socket = new RawSocketSettings();
  readonly #events: LinkEvents;
  readonly #closeTimeout: number;
  readonly #awaitsSign: boolean;
  readonly #unfinished: UnfinishedMessage | undefined;
  #raw: RawSocket | null = null;
  #watch: SocketWatch | null = null;
  #ownCode: number | undefined;
  #limit: NodeJS.Timeout | undefined;
  /** Reads why the handshake was refused. */
  #refusal: RefusalReader | null = null;
  #released = false;

  constructor(ws: WebSocket, settings: LinkSettings, events: LinkEvents) {
    this.ws = ws;
    this.ws[LINK] = this;
    this.#closeTimeout = settings.closeTimeout;
    this.#awaitsSign = settings.halfCloseOffered === true;
    this.#events = events;
    this.#unfinished = settings.unfinished?.open(this);
    // Before whoever listens already: one who closes then must find the adapter knowing what has
    // happened.
    ws.prependListener('error', Link.#onError);
    ws.prependListener('close', Link.#onClose);
    if (ws.readyState === ws.OPEN) {
      this.#attachRaw();
    } else {
      ws.prependListener('open', Link.#onOpen);
      ws.prependListener('upgrade', Link.#onUpgrade);
      ws.prependListener('unexpected-response', Link.#onRefusal);
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

  /** Whether both Close frames have passed; ws ends the socket then, and only then. */
  get closeAnswered(): boolean {
    return this.#raw?.writableFinished === true;
  }

  /** Holds the peer back. */
  pause(): void {
    if (!this.ws.isPaused) this.ws.pause();
  }

  /** Reads on. */
  resume(): void {
    // A WebSocket whose handshake has failed has nothing to read from, and ws would throw.
    if (this.#raw && this.ws.isPaused) this.ws.resume();
  }

  /**
   * Starts the closing handshake, unless one side has started it already. Nothing may follow it, so
   * the kernel asks from here on.
   */
  sendClose(code: number, reason = ''): void {
    if (!this.open) return;
    this.#ownCode = code;
    this.ws.close(code, reason);
    refCloseTimer(this.ws, this.socket.referenced);
    if (this.#raw) probe(this.#raw);
  }

  /**
   * Has what is sent meanwhile leave with one system call, so that the peer reads it with one. Of
   * a FIN and the Close behind it this saves 4 % of what a short connection costs.
   */
  sendTogether(send: () => void): void {
    this.#raw?.cork();
    send();
    this.#raw?.uncork();
  }

  /** No sign is awaited any more: `onPong` need not be called. */
  ignorePongs(): void {
    if (!this.#unfinished && !this.#released) this.ws.off('pong', Link.#onPong);
  }

  /** Ends TCP in this direction, behind what was sent. */
  endTcp(): void {
    this.#raw?.end();
  }

  /** Ends the connection without a Close frame; a handshake that still goes on is given up. */
  terminate(): void {
    this.ws.terminate();
  }

  /** Resets TCP, or ends the connection without a Close frame where there is no bare TCP below. */
  reset(): void {
    if (this.#raw) resetSocket(this.#raw);
    else this.terminate();
  }

  /** Leaves the WebSocket to itself until its peer has ended it too; nothing of this is left. */
  linger(): void {
    this.release();
    if (this.#raw) linger(this.ws, this.#raw);
  }

  /**
   * Calls `expired` after `ms`, unless the WebSocket has opened or closed by then; replaces an
   * earlier limit.
   */
  limit(ms: number, expired: () => void): void {
    clearTimeout(this.#limit);
    this.#limit = setTimeout(expired, ms);
    if (!this.socket.referenced) this.#limit.unref();
  }

  /** What was limited is over. */
  stopLimit(): void {
    clearTimeout(this.#limit);
    this.#limit = undefined;
  }

  /** Whether the connection keeps the process alive. */
  setReferenced(referenced: boolean): void {
    this.socket.setReferenced(referenced);
    if (referenced) this.#limit?.ref();
    else this.#limit?.unref();
    if (!this.closed) refCloseTimer(this.ws, referenced);
  }

  #attachRaw(): void {
    const raw = rawSocket(this.ws);
    if (!raw) return;
    this.#raw = raw;
    const { ws } = this;
    ws.prependListener('message', Link.#onMessage);
    if (this.#unfinished) ws.on('ping', Link.#onPing);
    // Of what a client has agreed on it knows by the answer to its handshake.
    if (this.#unfinished || this.#awaitsSign) ws.prependListener('pong', Link.#onPong);
    this.#watch = new SocketWatch(raw, this, this.#unfinished);
    this.socket.applyTo(raw);
  }

  /**
   * The peer has sent Close or ended TCP, so nothing comes that matters, and what still waits here
   * it will not take: it has `closeTimeout` to let our Close through and to end. What the kernel
   * holds it goes on to deliver, at the peer's pace, after the socket is closed: no byte may follow
   * the peer's Close, and so no reset run over it.
   */
  onPeerDone(): void {
    if (this.#limit || this.#released) return;
    this.limit(this.#closeTimeout, () => {
      this.terminate();
    });
  }

  onTooMuch(bytes: number): void {
    // Another connection may be at work, whose bytes were too much.
    isolate(() => {
      this.#events.onTooMuch(bytes);
    });
  }

  /** Takes off what listens to the handshake. */
  #endHandshake(): void {
    const { ws } = this;
    ws.off('open', Link.#onOpen);
    ws.off('upgrade', Link.#onUpgrade);
    ws.off('unexpected-response', Link.#onRefusal);
  }

  /** Leaves the WebSocket to somebody else: no listener and no timer of this is left. */
  release(): void {
    clearTimeout(this.#limit);
    // Another link may have the WebSocket by now, and listens by the same functions.
    if (this.#released) return;
    this.#released = true;
    this.#refusal?.stop();
    this.#unfinished?.close();
    const { ws } = this;
    if (!this.#raw) this.#endHandshake();
    ws.off('message', Link.#onMessage);
    ws.off('ping', Link.#onPing);
    ws.off('pong', Link.#onPong);
    ws.off('error', Link.#onError);
    ws.off('close', Link.#onClose);
    this.#watch?.stop();
  }

  static readonly #onOpen = function (this: Linked<Link>): void {
    const link = this[LINK];
    if (!link) return;
    link.stopLimit();
    link.#endHandshake();
    link.#attachRaw();
    isolate(() => {
      link.#events.onOpen();
    });
  };

  static readonly #onUpgrade = function (this: Linked<Link>, response: IncomingMessage): void {
    const link = this[LINK];
    if (link) link.#events.onUpgrade(response.headers);
  };

  static readonly #onRefusal = function (
    this: Linked<Link>,
    request: ClientRequest,
    response: IncomingMessage,
  ): void {
    const link = this[LINK];
    if (!link) return;
    // The server has answered: what it says is read within a limit of its own.
    clearTimeout(link.#limit);
    link.#refusal = new RefusalReader(request, response, (error) => {
      link.#events.onRefusal(error, response.headers);
    });
  };

  static readonly #onPing = function (this: Linked<Link>, payload: Buffer): void {
    const link = this[LINK];
    if (link) link.#unfinished?.onControl(payload.length);
  };

  static readonly #onPong = function (this: Linked<Link>, payload: Buffer): void {
    const link = this[LINK];
    if (!link) return;
    link.#unfinished?.onControl(payload.length);
    link.#events.onPong?.(payload);
  };

  static readonly #onMessage = function (
    this: Linked<Link>,
    data: RawData,
    isBinary: boolean,
  ): void {
    const link = this[LINK];
    if (!link) return;
    link.#unfinished?.onMessage();
    isolate(() => {
      link.#events.onMessage(data, isBinary);
    });
  };

  static readonly #onError = function (this: Linked<Link>, error: Error): void {
    const link = this[LINK];
    if (!link) return;
    // What breaks off behind a refusal changes nothing about it.
    link.#refusal?.finish();
    isolate(() => {
      link.#events.onError(error);
    });
  };

  static readonly #onClose = function (this: Linked<Link>, code: number, reason: Buffer): void {
    const link = this[LINK];
    if (!link) return;
    link.#refusal?.finish();
    link.release();
    link.#events.onClose({
      code,
      reason: reason.toString(),
      ownCode: link.#ownCode,
      tcpEnded: link.#watch?.ended ?? false,
      socketError: link.#watch?.error,
    });
  };
}
