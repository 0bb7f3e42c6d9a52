import { randomBytes } from 'node:crypto';

import type { WebSocket } from 'ws';

import { isolate, type WsConnError } from '../base/errors.ts';
import { rawSocket, type RawSocket } from '../websocket/raw-socket.ts';
import { Liveness } from './liveness.ts';
import type { KeepaliveSettings } from './options.ts';

/**
 * Bytes of a ping's payload that are the same for one connection; its number follows, in as many.
 */
const KEY_BYTES = 4;

/** Calls back when the peer has acknowledged all that was written so far. */
export type WhenAcknowledged = (callback: () => void) => void;

/** What a loop reports. */
export interface KeepaliveLoopEvents {
  readonly onPong: (roundTrip: number) => void;
  /** The peer is dead. The loop has stopped; the WebSocket is whole yet. */
  readonly onDead: (error: WsConnError) => void;
  /** The WebSocket has closed, and the loop has stopped. */
  readonly onClose: () => void;
}

/**
 * Runs the keepalive of one WebSocket: its pings, pongs and bytes for the rule that decides. Starts
 * at once, or on 'open'.
 */
export class KeepaliveLoop {
  readonly #ws: WebSocket;
  readonly #interval: number;
  readonly #events: KeepaliveLoopEvents;
  readonly #liveness: Liveness;
  readonly #key = randomBytes(KEY_BYTES);
  #raw: RawSocket | null = null;
  #stopped = false;

  /** @param whenAcknowledged - given where the peer acknowledges what it gets */
  constructor(
    ws: WebSocket,
    { interval, pongTimeout }: KeepaliveSettings,
    events: KeepaliveLoopEvents,
    whenAcknowledged?: WhenAcknowledged,
  ) {
    this.#ws = ws;
    this.#interval = interval;
    this.#events = events;
    this.#liveness = this.#makeLiveness(interval, pongTimeout, whenAcknowledged);
    if (ws.readyState === ws.CLOSED) {
      this.#stopped = true;
      return;
    }
    ws.on('close', this.#onClose);
    ws.on('pong', this.#onPong);
    if (ws.readyState === ws.CONNECTING) ws.on('open', this.#start);
    else this.#start();
  }

  /** Round trip of the last ping that was answered, in ms; undefined before the first. */
  get roundTrip(): number | undefined {
    return this.#liveness.roundTrip;
  }

  /** Ends the loop and takes its listeners off the WebSocket. Calling it again does nothing. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#liveness.stop();
    this.#ws.off('open', this.#start);
    this.#ws.off('close', this.#onClose);
    this.#ws.off('pong', this.#onPong);
    this.#raw?.off('data', this.#onData);
    this.#raw?.off('drain', this.onSent);
    this.#raw?.off('pause', this.#onPause);
    this.#raw?.off('resume', this.#onResume);
  }

  ref(): void {
    this.#liveness.ref();
  }

  unref(): void {
    this.#liveness.unref();
  }

  /** May be called after each message, in place of waiting for the socket's 'drain'. */
  readonly onSent = (): void => {
    if (!this.#stopped && this.#raw) this.#liveness.onWritten();
  };

  #makeLiveness(
    interval: number,
    pongTimeout: number,
    whenAcknowledged: WhenAcknowledged | undefined,
  ): Liveness {
    const host = {
      written: () => this.#raw?.bytesWritten,
      queued: () => this.#raw?.writableLength ?? 0,
      mayPing: () => this.#mayPing(),
      ping: (id: number, whenSent: () => void) => {
        this.#ws.ping(this.#payload(id), undefined, (error?: Error) => {
          // An error here means that the WebSocket is closing, and 'close' will stop the loop.
          if (!error) whenSent();
        });
      },
      ...(whenAcknowledged && {
        mark: (id: number) => {
          whenAcknowledged(() => {
            if (!this.#stopped) this.#liveness.onMark(id);
          });
        },
      }),
      showLife: () => {
        // An error here is the WebSocket's own, reported by its 'close'.
        this.#ws.pong('', undefined, () => undefined);
      },
      onPong: (roundTrip: number) => {
        isolate(() => {
          this.#events.onPong(roundTrip);
        });
      },
      onDead: (error: WsConnError) => {
        this.#onDead(error);
      },
    };
    return new Liveness(host, interval, pongTimeout);
  }

  readonly #start = (): void => {
    const raw = rawSocket(this.#ws);
    this.#raw = raw;
    // Before ws, which reports the pongs in it.
    raw?.prependListener('data', this.#onData);
    raw?.on('drain', this.onSent);
    raw?.on('pause', this.#onPause);
    raw?.on('resume', this.#onResume);
    this.#liveness.start();
    if (raw?.isPaused()) this.#onPause();
  };

  #payload(id: number): Buffer {
    const payload = Buffer.alloc(2 * KEY_BYTES);
    this.#key.copy(payload);
    payload.writeUInt32BE(id, KEY_BYTES);
    return payload;
  }

  /**
   * After our Close frame nothing may follow, so from then on only the kernel can ask whether the
   * peer is there.
   */
  #mayPing(): boolean {
    if (this.#ws.readyState === this.#ws.OPEN) return true;
    this.#raw?.setKeepAlive?.(true, this.#interval);
    this.#liveness.stop();
    return false;
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#liveness.onReceived(chunk.length);
  };

  readonly #onPong = (payload: Buffer): void => {
    if (payload.length !== 2 * KEY_BYTES || !this.#key.equals(payload.subarray(0, KEY_BYTES)))
      return;
    this.#liveness.onPong(payload.readUInt32BE(KEY_BYTES));
  };

  readonly #onPause = (): void => {
    this.#liveness.pause();
  };

  readonly #onResume = (): void => {
    this.#liveness.resume();
  };

  readonly #onClose = (): void => {
    this.stop();
    this.#events.onClose();
  };

  #onDead(error: WsConnError): void {
    // A peer that has our Close need not answer a ping.
    if (!this.#mayPing()) return;
    this.stop();
    this.#events.onDead(error);
  }
}
