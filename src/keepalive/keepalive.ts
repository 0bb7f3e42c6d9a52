import { randomBytes } from 'node:crypto';
import { EventEmitter } from 'node:events';

import type { WebSocket } from 'ws';

import { isolate, type WsConnError } from '../base/errors.ts';
import { rawSocket, type RawSocket } from '../websocket/raw-socket.ts';
import { Liveness } from './liveness.ts';
import { checkKeepaliveOptions, type KeepaliveOptions } from './options.ts';

export interface KeepaliveEvents {
  /**
   * Round trip of a ping, in ms; on a slow link that of a byte which waits behind those of an
   * upload.
   */
  pong: [rtt: number];
  /** The peer gave no sign of life: `ETIMEDOUT`. The last event. */
  dead: [error: WsConnError];
}

/**
 * Bytes of a ping's payload that are the same for one connection; its number follows, in as many.
 */
const KEY_BYTES = 4;

/**
 * Keeps one WebSocket alive through whatever drops idle connections, and finds out when the other
 * end is gone.
 *
 * Every `interval` it looks at the bytes that went each way. If both directions moved, it sends
 * nothing; else a ping. The peer is dead when for `pongTimeout` not one byte came in, counted from
 * when a ping has reached it on the slowest of links: the bytes before a ping get the time that
 * they need at 8 kB/s. A burst of bytes carries pings of its own, one for each 64 KiB (256 KiB
 * where the peer answers within 20 ms or sends bytes as well), so that a peer which dies in the
 * middle of it is found 18 s (43 s) after its last answer, with the default `pongTimeout`. No ping
 * can be put into a message: one of 5 MB has to arrive as a whole first, and gets 10 minutes.
 *
 * While reading is held back by our own side (`ws.pause()`), no verdict is possible: the clock
 * stands still, and unsolicited pongs (RFC 6455, section 5.5.3) show the other end that we live.
 * Once a Close frame was sent, nothing may follow it, and the kernel's keepalive asks.
 *
 * Works on any `ws` WebSocket, also without an adapter; starts at once, or on 'open'. When the peer
 * is dead it emits 'dead' and terminates the WebSocket. Stops by itself when the WebSocket closes.
 */
export class Keepalive extends EventEmitter<KeepaliveEvents> {
  readonly #ws: WebSocket;
  readonly #interval: number;
  readonly #liveness: Liveness;
  readonly #key = randomBytes(KEY_BYTES);
  #raw: RawSocket | null = null;
  #stopped = false;

  /** @throws `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE` */
  constructor(ws: WebSocket, options: KeepaliveOptions = {}) {
    super();
    const { interval, pongTimeout } = checkKeepaliveOptions(options);
    this.#ws = ws;
    this.#interval = interval;
    this.#liveness = this.#makeLiveness(interval, pongTimeout);
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
  get rtt(): number | undefined {
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

  /** Makes the loop keep the process alive; this is the default. */
  ref(): this {
    this.#liveness.ref();
    return this;
  }

  /** Allows the process to end although the loop runs. */
  unref(): this {
    this.#liveness.unref();
    return this;
  }

  /**
   * May be called after each message, so that pings get between those of one turn of the event
   * loop: the socket's 'drain' comes after all of them.
   * @internal
   */
  readonly onSent = (): void => {
    if (!this.#stopped && this.#raw) this.#liveness.onWritten();
  };

  #makeLiveness(interval: number, pongTimeout: number): Liveness {
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
      showLife: () => {
        // An error here is the WebSocket's own, reported by its 'close'.
        this.#ws.pong('', undefined, () => undefined);
      },
      onPong: (roundTrip: number) => {
        isolate(() => this.emit('pong', roundTrip));
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
  };

  #onDead(error: WsConnError): void {
    // A peer that has our Close need not answer a ping.
    if (!this.#mayPing()) return;
    this.stop();
    this.emit('dead', error);
    this.#ws.terminate();
  }
}
