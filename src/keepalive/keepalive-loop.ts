import type { WebSocket } from 'ws';

import { isolate, type WsConnError } from '../base/errors.ts';
import { rawSocket, type RawSocket } from '../websocket/raw-socket.ts';
import type { LivenessHost } from './liveness-host.ts';
import { Liveness } from './liveness.ts';
import type { KeepaliveSettings } from './options.ts';

/**
 * A ping's payload is a key, the same for one connection, and the ping's number: 32 bits each. The
 * key tells the pongs of ours from others', and keeps no secret from the peer, who sees it.
 */
const PAYLOAD_BYTES = 8;
const NUMBER_AT = 4;
const KEY_LIMIT = 2 ** 31;

/** Calls back when the peer has acknowledged all that was written so far. */
export type WhenAcknowledged = (callback: () => void) => void;

/** What a loop reports. */
export interface KeepaliveLoopEvents {
  onPong(roundTrip: number): void;
  /** The peer is dead. The loop has stopped; the WebSocket is whole yet. */
  onDead(error: WsConnError): void;
  /** The WebSocket has closed, and the loop has stopped. */
  onClose(): void;
}

/**
 * Runs the keepalive of one WebSocket: its pings, pongs and bytes for the rule that decides. Starts
 * at once, or on 'open'.
 */
export class KeepaliveLoop implements LivenessHost {
  readonly #ws: WebSocket;
  readonly #interval: number;
  readonly #events: KeepaliveLoopEvents;
  readonly #liveness: Liveness;
  readonly #key = Math.floor(Math.random() * KEY_LIMIT);
  readonly #whenAcknowledged: WhenAcknowledged | undefined;
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
    this.#whenAcknowledged = whenAcknowledged;
    this.#liveness = new Liveness(this, interval, pongTimeout);
    if (ws.readyState === ws.CLOSED) {
      this.#stopped = true;
      return;
    }
    ws.on('close', this.#onStateChange);
    if (ws.readyState === ws.CONNECTING) ws.on('open', this.#onStateChange);
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
    this.#ws.off('open', this.#onStateChange);
    this.#ws.off('close', this.#onStateChange);
    this.#ws.off('pong', this.#onPongFrame);
    this.#raw?.off('data', this.#onData);
    this.#raw?.off('drain', this.#onFlowChange);
    this.#raw?.off('pause', this.#onFlowChange);
    this.#raw?.off('resume', this.#onFlowChange);
  }

  ref(): void {
    this.#liveness.ref();
  }

  unref(): void {
    this.#liveness.unref();
  }

  /** May be called after each message, in place of waiting for the socket's 'drain'. */
  onSent(): void {
    if (!this.#stopped && this.#raw) this.#liveness.onWritten();
  }

  written(): number | undefined {
    return this.#raw?.bytesWritten;
  }

  queued(): number {
    return this.#raw?.writableLength ?? 0;
  }

  /**
   * After our Close frame nothing may follow, so from then on only the kernel can ask whether the
   * peer is there.
   */
  mayPing(): boolean {
    if (this.#ws.readyState === this.#ws.OPEN) return true;
    this.#raw?.setKeepAlive?.(true, this.#interval);
    this.#liveness.stop();
    return false;
  }

  ping(id: number, whenSent: () => void): void {
    const payload = Buffer.allocUnsafe(PAYLOAD_BYTES);
    payload.writeUInt32BE(this.#key);
    payload.writeUInt32BE(id, NUMBER_AT);
    this.#ws.ping(payload, undefined, (error?: Error) => {
      // An error here means that the WebSocket is closing, and 'close' will stop the loop.
      if (!error) whenSent();
    });
  }

  get marks(): boolean {
    return this.#whenAcknowledged !== undefined;
  }

  mark(id: number): void {
    this.#whenAcknowledged?.(() => {
      if (!this.#stopped) this.#liveness.onMark(id);
    });
  }

  showLife(): void {
    // An error here is the WebSocket's own, reported by its 'close'.
    this.#ws.pong('', undefined, () => undefined);
  }

  onPong(roundTrip: number): void {
    isolate(() => {
      this.#events.onPong(roundTrip);
    });
  }

  onDead(error: WsConnError): void {
    // A peer that has our Close need not answer a ping.
    if (!this.mayPing()) return;
    this.stop();
    this.#events.onDead(error);
  }

  #start(): void {
    const raw = rawSocket(this.#ws);
    this.#raw = raw;
    this.#ws.on('pong', this.#onPongFrame);
    // Before ws, which reports the pongs in it.
    raw?.prependListener('data', this.#onData);
    raw?.on('drain', this.#onFlowChange);
    raw?.on('pause', this.#onFlowChange);
    raw?.on('resume', this.#onFlowChange);
    this.#liveness.start();
    if (raw?.isPaused()) this.#liveness.pause();
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#liveness.onReceived(chunk.length);
  };

  readonly #onPongFrame = (payload: Buffer): void => {
    if (payload.length !== PAYLOAD_BYTES || payload.readUInt32BE() !== this.#key) return;
    this.#liveness.onPong(payload.readUInt32BE(NUMBER_AT));
  };

  /** 'pause', 'resume' or 'drain': one function for the three takes a third of the memory. */
  readonly #onFlowChange = (): void => {
    if (this.#raw?.isPaused()) {
      this.#liveness.pause();
    } else {
      this.#liveness.resume();
      this.onSent();
    }
  };

  /** 'open' or 'close'. */
  readonly #onStateChange = (): void => {
    // Whoever heard of it before may have stopped the loop.
    if (this.#stopped) return;
    if (this.#ws.readyState === this.#ws.CLOSED) {
      this.stop();
      this.#events.onClose();
    } else {
      this.#start();
    }
  };
}
