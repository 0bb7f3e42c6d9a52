import type { ClientRequest, IncomingHttpHeaders, IncomingMessage } from 'node:http';

import type { RawData, WebSocket } from 'ws';

import { isolate, type WsConnError } from '../../base/errors.ts';
import type { PausableSource } from '../../base/receive-buffer.ts';
import { resetSocket } from '../../base/reset-socket.ts';
import { RefusalReader } from '../../websocket/refusal.ts';
import type { UnfinishedBytes, UnfinishedMessage } from '../../websocket/unfinished-bytes.ts';
import { rawSocket, type RawSocket, refCloseTimer } from '../../websocket/raw-socket.ts';
import type { ClosedWebSocket } from './connection-errors.ts';
import { linger, probe } from './lingering.ts';
import { RawSocketSettings } from './raw-socket-settings.ts';
import { SocketWatch } from './socket-watch.ts';

export interface LinkSettings {
  /** Time in ms that the peer has to end TCP once it has sent Close. */
  readonly closeTimeout: number;
  /** Where unfinished messages are counted. */
  readonly unfinished: UnfinishedBytes | undefined;
}

/** What a link reports. `onClose` comes exactly once, and nothing after it. */
export interface LinkEvents {
  readonly onOpen: () => void;
  /** A server has accepted the handshake, with these headers; before `onOpen`. */
  readonly onUpgrade: (headers: IncomingHttpHeaders) => void;
  /** The server answered the handshake with an HTTP status; nothing but `onClose` follows. */
  readonly onRefusal: (error: WsConnError, headers: IncomingHttpHeaders) => void;
  readonly onMessage: (data: RawData, isBinary: boolean) => void;
  /** So many bytes of an unfinished message are too much for what the server may hold. */
  readonly onTooMuch: (bytes: number) => void;
  readonly onError: (error: Error) => void;
  readonly onClose: (closed: ClosedWebSocket) => void;
}

/**
 * One WebSocket together with the socket below it: who listens to them, how they can be ended, and
 * the time limit for it. When the WebSocket has closed, no listener and no timer of it is left.
 */
export class Link implements PausableSource {
  readonly ws: WebSocket;
  /** Settings of the socket below. */
  readonly socket = new RawSocketSettings();
  readonly #events: LinkEvents;
  readonly #closeTimeout: number;
  readonly #unfinished: UnfinishedMessage | undefined;
  #raw: RawSocket | null = null;
  #watch: SocketWatch | null = null;
  #ownCode: number | undefined;
  #limit: NodeJS.Timeout | undefined;
  /** Reads why the handshake was refused. */
  #refusal: RefusalReader | null = null;
  #released = false;

  constructor(ws: WebSocket, { closeTimeout, unfinished }: LinkSettings, events: LinkEvents) {
    this.ws = ws;
    this.#closeTimeout = closeTimeout;
    this.#events = events;
    this.#unfinished = unfinished?.open((bytes) => {
      // Another connection may be at work, whose bytes were too much.
      isolate(() => {
        events.onTooMuch(bytes);
      });
    });
    // Before whoever listens already: one who closes then must find the adapter knowing what has
    // happened.
    ws.prependListener('message', this.#onMessage);
    ws.prependListener('error', this.#onError);
    ws.prependListener('close', this.#onClose);
    if (this.#unfinished) {
      ws.on('ping', this.#onControl);
      ws.on('pong', this.#onControl);
    }
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
   * Leaves the WebSocket to itself until its peer has ended it too. No listener and no timer of
   * this is left.
   */
  linger(): void {
    this.#release();
    if (this.#raw) linger(this.ws, this.#raw);
  }

  /** Leaves the WebSocket to somebody else: no listener and no timer of this is left. */
  release(): void {
    this.#release();
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
    this.#watch = new SocketWatch(raw, this.#awaitTcpEnd, this.#unfinished);
    this.socket.applyTo(raw);
  }

  readonly #onOpen = (): void => {
    this.stopLimit();
    this.#attachRaw();
    isolate(() => {
      this.#events.onOpen();
    });
  };

  readonly #onUpgrade = (response: IncomingMessage): void => {
    this.#events.onUpgrade(response.headers);
  };

  readonly #onRefusal = (request: ClientRequest, response: IncomingMessage): void => {
    // The server has answered: what it says is read within a limit of its own.
    clearTimeout(this.#limit);
    this.#refusal = new RefusalReader(request, response, (error) => {
      this.#events.onRefusal(error, response.headers);
    });
  };

  readonly #onControl = (payload: Buffer): void => {
    this.#unfinished?.onControl(payload.length);
  };

  readonly #onMessage = (data: RawData, isBinary: boolean): void => {
    this.#unfinished?.onMessage();
    isolate(() => {
      this.#events.onMessage(data, isBinary);
    });
  };

  readonly #onError = (error: Error): void => {
    // What breaks off behind a refusal changes nothing about it.
    this.#refusal?.finish();
    isolate(() => {
      this.#events.onError(error);
    });
  };

  readonly #onClose = (code: number, reason: Buffer): void => {
    this.#refusal?.finish();
    this.#release();
    this.#events.onClose({
      code,
      reason: reason.toString(),
      ownCode: this.#ownCode,
      tcpEnded: this.#watch?.ended ?? false,
      socketError: this.#watch?.error,
    });
  };

  #release(): void {
    this.#released = true;
    clearTimeout(this.#limit);
    this.#refusal?.stop();
    this.#unfinished?.close();
    const { ws } = this;
    ws.off('open', this.#onOpen);
    ws.off('upgrade', this.#onUpgrade);
    ws.off('unexpected-response', this.#onRefusal);
    ws.off('message', this.#onMessage);
    ws.off('ping', this.#onControl);
    ws.off('pong', this.#onControl);
    ws.off('error', this.#onError);
    ws.off('close', this.#onClose);
    this.#watch?.stop();
  }

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
