import type { IncomingHttpHeaders } from 'node:http';
import { addAbortSignal } from 'node:stream';

import type { WebSocket } from 'ws';

import { Connection } from '../../adapter/connection.ts';
import { takeWebSocket } from '../../adapter/link/take-websocket.ts';
import type { AdapterSettings } from '../../adapter/options.ts';
import type { Transport } from '../../adapter/transport.ts';
import { WsConnSocket } from '../../adapter/wsconn-socket.ts';
import { isolate, type WsConnError } from '../../base/errors.ts';
import { Keepalive } from '../../keepalive/keepalive.ts';
import type { KeepaliveOptions } from '../../keepalive/options.ts';
import { rawSocket } from '../../websocket/raw-socket.ts';
import { WebSocketCarrier } from './carrier.ts';
import type { Budget } from './hold-back.ts';
import { ResumedConnection } from './resumed-connection.ts';
import type { Role, RoleHost } from './role.ts';
import { UndecidedTransport } from './undecided-transport.ts';

/** How a connection begins that outlives its WebSocket. */
export interface Beginning {
  /** Bytes that this side keeps, and that the other takes unread. */
  readonly window: number;
  readonly peerWindow: number;
  /** What all connections of a server may keep. */
  readonly budget?: Budget;
  readonly role: Role;
  /** Takes the connection over, and goes on over its first WebSocket. */
  begin(connection: ResumedConnection, carrier: WebSocketCarrier): void;
}

/** What finds out whether both ends know how to resume. It is asked until it has an answer. */
export interface Start {
  /** Whether the stream may be ended in order only when that is known, for the peer's sake. */
  readonly mattersForEnds: boolean;
  /** The handshake was answered with these headers. */
  onUpgrade?(headers: IncomingHttpHeaders): Beginning | null;
  /** The first message came. */
  onMessage?(bytes: Buffer, isBinary: boolean): Beginning | null;
  /**
   * Something waits for the answer; `plain` is called where it turns out that one end does not,
   * `fail` where it does not turn out in time.
   */
  hurry(plain: () => void, fail: (error: WsConnError) => void): void;
  /** The answer is there, or there is none. */
  stop(): void;
}

/**
 * Stands for a `net.Socket` that outlives its WebSocket: one connection from 'connect' to 'close',
 * over one WebSocket after another. `connect()` and `createServer()` make it where they have the
 * option `resume`; with a peer that does not know how to resume it is as a WsConnAdapter is.
 *
 * Where it differs from WsConnAdapter:
 * - 'disconnect' (error) says that the WebSocket is gone, 'reconnect' (count, ms) that there is
 *   another: how many there were, and how long there was none. Between the two what is written
 *   waits.
 * - A keepalive lasts for the whole of its life. Its 'dead' ends the WebSocket, not the socket.
 * - A stopped reader does not hold back the WebSocket: up to `window` bytes wait here.
 * - 'error' with `ETIMEDOUT` says that there was no way back in time, and how many bytes the peer
 *   has not acknowledged.
 */
export class ResumableSocket extends WsConnSocket {
  readonly #start: Start;
  readonly #settings: AdapterSettings;
  readonly #connection: Connection;
  readonly #undecided: UndecidedTransport;
  #transport: Transport;
  #resumed: ResumedConnection | null = null;
  #lastWs: WebSocket;
  #keepalive: Keepalive | null = null;
  #dead: WsConnError | null = null;
  #reconnects = 0;

  /** @internal */
  constructor(ws: WebSocket, settings: AdapterSettings, makeStart: (host: RoleHost) => Start) {
    super(settings);
    takeWebSocket(ws);
    this.#lastWs = ws;
    this.#settings = settings;
    this.#start = makeStart(this.#roleHost());
    this.#connection = this.#makeConnection(ws);
    this.#undecided = new UndecidedTransport(
      this,
      this.#connection,
      {
        mattersForEnds: this.#start.mattersForEnds,
        hurry: () => {
          this.#start.hurry(
            () => {
              this.#decide(null);
            },
            (error) => {
              this.destroy(error);
            },
          );
        },
      },
      settings.closeTimeout,
    );
    this.#transport = this.#undecided;
    this.#adopt(ws);
    ws.on('close', this.#onFirstClosed);
    const { keepalive, signal } = settings;
    if (keepalive) this.ping(keepalive);
    if (signal) addAbortSignal(signal, this);
  }

  /** The WebSocket that it runs over now; null while there is none. */
  override get ws(): WebSocket | null {
    return this.#resumed ? this.#resumed.ws : this.#lastWs;
  }

  override get bytesWritten(): number {
    // Also what destroy() has lost while it was not known over what the stream runs.
    const lost = this.#undecided.bytesDone;
    return lost + (this.#undecided.decided ? super.bytesWritten : this.writableLength);
  }

  /** @internal */
  protected override get transport(): Transport {
    return this.#transport;
  }

  /** @internal */
  protected override makeKeepalive(options: KeepaliveOptions | undefined): Keepalive {
    const keepalive = new Keepalive(this.#lastWs, options);
    this.#keepalive = keepalive;
    if (this.#resumed) keepalive.moveTo(this.ws, this.#resumed.session.whenAcknowledged);
    keepalive.on('dead', (error) => {
      if (this.#resumed) this.#dead = error;
      else this.destroy(error);
    });
    return keepalive;
  }

  #makeConnection(ws: WebSocket): Connection {
    return new Connection(this, ws, this.#settings, {
      onOpen: () => {
        this.#adopt(ws);
        this.reportOpen();
      },
      onUpgrade: (headers) => {
        if (this.#start.onUpgrade) this.#decide(this.#start.onUpgrade(headers));
      },
      onMessage: (bytes, isBinary) => {
        if (this.#undecided.decided || this.#undecided.abandoned) return false;
        const beginning = this.#start.onMessage?.(bytes, isBinary) ?? null;
        this.#decide(beginning);
        return beginning !== null;
      },
      onActive: this.#onActive,
      onSent: this.#onSent,
      onPeerGone: this.#onPeerGone,
    });
  }

  #roleHost(): RoleHost {
    return {
      settings: this.#settings,
      onDisconnect: (error) => {
        this.#keepalive?.moveTo(null);
        const cause = this.#dead ?? error;
        this.#dead = null;
        isolate(() => this.emit('disconnect', cause));
      },
      onReconnect: (ms) => {
        this.#reconnects++;
        isolate(() => this.emit('reconnect', this.#reconnects, Math.round(ms)));
      },
      fail: (error) => {
        this.destroy(error);
      },
      onCarrier: (ws) => {
        this.#lastWs = ws;
        this.#adopt(ws);
        this.#keepalive?.moveTo(ws, this.#resumed?.session.whenAcknowledged);
      },
    };
  }

  /** It is known now over what the stream runs: over this WebSocket alone, where it is null. */
  #decide(beginning: Beginning | null): void {
    if (this.#undecided.decided) return;
    this.#start.stop();
    this.#lastWs.off('close', this.#onFirstClosed);
    if (beginning) {
      this.#begin(beginning);
    } else {
      this.#transport = this.#connection;
      this.#undecided.decide(this.#connection);
    }
  }

  #begin(beginning: Beginning): void {
    const connection = this.#connection;
    const ws = this.#lastWs;
    connection.release();
    const { window, budget } = beginning;
    const settings = { adapter: this.#settings, window, budget };
    const resumed = new ResumedConnection(this, settings, connection, beginning.role, {
      onActive: this.#onActive,
      onSent: this.#onSent,
      onPeerGone: this.#onPeerGone,
    });
    resumed.session.out.peerWindow = beginning.peerWindow;
    this.#resumed = resumed;
    this.#transport = resumed;
    const opening = ws.readyState === ws.CONNECTING;
    const open = (): void => {
      beginning.begin(resumed, carrier);
      try {
        if (opening) this.reportOpen();
      } finally {
        // Also where a listener throws: what was written before waits for this.
        this.#undecided.decide(resumed);
      }
    };
    const carrier = new WebSocketCarrier(ws, this.#settings, {
      onOpen: open,
      onMessage: () => undefined,
      onError: () => undefined,
      onClose: () => undefined,
    });
    if (!opening) open();
  }

  #adopt(ws: WebSocket): void {
    const raw = rawSocket(ws);
    if (raw) this.adoptAddresses(raw);
  }

  readonly #onFirstClosed = (): void => {
    this.#decide(null);
  };

  readonly #onActive = (): void => {
    this.markActive();
  };

  readonly #onSent = (): void => {
    this.onMessageSent();
  };

  readonly #onPeerGone = (): void => {
    this.#decide(null);
    this.reportPeerGone();
  };
}
