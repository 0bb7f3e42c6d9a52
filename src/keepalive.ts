import { randomBytes } from 'node:crypto';
import { EventEmitter } from 'node:events';

import type { WebSocket } from 'ws';

import { checkObject, delay } from './check-option.ts';
import { WsConnError } from './errors.ts';
import { rawSocket, type RawSocket } from './raw-socket.ts';

export interface KeepaliveOptions {
  /**
   * Longest time in ms between two looks at the connection; each comes 5 to 20 % earlier, so that many connections do
   * not ping in step, and two of them stay under the shortest idle limit in wide use (30 s, GCP's TCP proxy).
   * @default 15000
   */
  readonly interval?: number | undefined;
  /**
   * Time in ms that the peer has for a sign of life once a ping has left, and that the send queue may stand still.
   * @default 10000
   */
  readonly pongTimeout?: number | undefined;
}

export interface KeepaliveEvents {
  /** Round trip of a ping, in ms. */
  pong: [rtt: number];
  /** The peer gave no sign of life: `ETIMEDOUT`. The last event. */
  dead: [error: WsConnError];
}

const DEFAULT_INTERVAL = 15_000;
const DEFAULT_PONG_TIMEOUT = 10_000;
/** Share of the interval by which a look comes early: from the least to the most. */
const EARLY = { least: 0.05, most: 0.2 };

/** Checks the options and fills in the defaults; throws `ERR_INVALID_ARG_TYPE` or `ERR_OUT_OF_RANGE` with the name. */
export function checkKeepaliveOptions(
  options: KeepaliveOptions,
  name = 'options',
): { interval: number; pongTimeout: number } {
  checkObject(name, options);
  return {
    interval: delay(`${name}.interval`, options.interval, DEFAULT_INTERVAL),
    pongTimeout: delay(`${name}.pongTimeout`, options.pongTimeout, DEFAULT_PONG_TIMEOUT),
  };
}

/**
 * - `idle`: not open yet, or stopped.
 * - `watching`: the next look is due.
 * - `leaving`: a ping waits in the send queue.
 * - `listening`: the ping has left, a sign of life is due.
 * - `deaf`: our own side holds reading back, so that no sign of life could be heard.
 */
type Phase = 'idle' | 'watching' | 'leaving' | 'listening' | 'deaf';

/**
 * Keeps one WebSocket alive through whatever drops idle connections, and finds out when the other end is gone.
 *
 * Every `interval` it looks at the bytes that went each way. If both directions moved, it sends nothing; else a ping.
 * The peer is dead when the ping has left and for `pongTimeout` not one byte came in, or when the ping cannot leave
 * because the send queue stood still that long. While reading is held back by our own side (`ws.pause()`), no verdict is
 * possible: the clock stands still, and unsolicited pongs (RFC 6455, section 5.5.3) show the other end that we live.
 *
 * Works on any `ws` WebSocket, also without an adapter; starts at once, or on 'open'. When the peer is dead it emits
 * 'dead' and terminates the WebSocket. Stops by itself when the WebSocket closes.
 */
export class Keepalive extends EventEmitter<KeepaliveEvents> {
  readonly #ws: WebSocket;
  readonly #interval: number;
  readonly #pongTimeout: number;
  #raw: RawSocket | null = null;
  #phase: Phase = 'idle';
  #timer: NodeJS.Timeout | undefined;
  #referenced = true;
  #stopped = false;
  /**
   * When the next look or, while deaf, the next sign of life is due, by `performance.now()`. It outlasts a pause: a reader
   * that pauses and resumes all the time would else put it off for ever.
   */
  #dueAt = Infinity;
  #seen = { read: 0, sent: 0 };
  #ping: { readonly payload: Buffer; sentAt: number } | null = null;
  #rtt: number | undefined;

  /** @throws `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE` */
  constructor(ws: WebSocket, options: KeepaliveOptions = {}) {
    super();
    const { interval, pongTimeout } = checkKeepaliveOptions(options);
    this.#interval = interval;
    this.#pongTimeout = pongTimeout;
    this.#ws = ws;
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
    return this.#rtt;
  }

  /** Ends the loop and lets go of the WebSocket; calling it again does nothing. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#setPhase('idle');
    this.#ws.off('open', this.#start);
    this.#ws.off('close', this.#onClose);
    this.#ws.off('pong', this.#onPong);
    this.#raw?.off('pause', this.#onPause);
    this.#raw?.off('resume', this.#onResume);
  }

  /** Lets the loop keep the process alive; this is the default. */
  ref(): this {
    this.#referenced = true;
    this.#timer?.ref();
    return this;
  }

  /** Lets the process end although the loop runs. */
  unref(): this {
    this.#referenced = false;
    this.#timer?.unref();
    return this;
  }

  /** Longest time in ms between two signs of life while deaf. */
  get #beat(): number {
    return Math.min(this.#interval, this.#pongTimeout / 2);
  }

  readonly #start = (): void => {
    this.#raw = rawSocket(this.#ws);
    this.#moved(); // The bytes of the handshake are no traffic of ours.
    this.#raw?.on('pause', this.#onPause);
    this.#raw?.on('resume', this.#onResume);
    if (this.#raw?.isPaused()) this.#onPause();
    else this.#watch();
  };

  /** Every change of phase passes here: no timer and no listener of the last one is left. */
  #setPhase(phase: Phase, ms?: number, due?: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#phase === 'leaving') {
      this.#raw?.off('timeout', this.#onStuck);
      this.#raw?.setTimeout?.(0);
    }
    this.#phase = phase;
    if (ms === undefined || due === undefined) return;
    this.#timer = setTimeout(due, Math.max(0, ms));
    if (!this.#referenced) this.#timer.unref();
  }

  #watch(): void {
    const early = EARLY.least + (EARLY.most - EARLY.least) * Math.random();
    this.#dueAt = performance.now() + this.#interval * (1 - early);
    this.#await();
  }

  #await(): void {
    this.#setPhase('watching', this.#dueAt - performance.now(), () => {
      this.#look();
    });
  }

  #look(): void {
    if (this.#ws.readyState !== this.#ws.OPEN) {
      // Nothing may follow a Close frame, so from here on only the kernel can ask whether the peer is there.
      this.#raw?.setKeepAlive?.(true, this.#interval);
      this.#setPhase('idle');
      return;
    }
    if (this.#moved()) this.#watch();
    else this.#sendPing();
  }

  /** Whether bytes went each way since the last look. Bytes in the send queue have not gone. */
  #moved(): boolean {
    const now = this.#counts();
    const both = now.read > this.#seen.read && now.sent > this.#seen.sent;
    this.#seen = now;
    return both;
  }

  #counts(): { read: number; sent: number } {
    const { bytesRead = 0, bytesWritten = 0, writableLength = 0 } = this.#raw ?? {};
    return { read: bytesRead, sent: bytesWritten - writableLength };
  }

  #sendPing(): void {
    const ping = { payload: randomBytes(8), sentAt: performance.now() };
    this.#ping = ping;
    this.#dueAt = ping.sentAt + this.#interval;
    this.#leave();
    this.#ws.ping(ping.payload, undefined, (error?: Error) => {
      // An error here means that the WebSocket is closing, and 'close' will stop the loop.
      if (error || this.#ping !== ping) return;
      ping.sentAt = performance.now();
      if (this.#phase === 'leaving') this.#listen();
    });
  }

  /** Waits for the ping to leave. The socket's own idle timer is the one that sees a slow queue move within one write. */
  #leave(): void {
    this.#setPhase('leaving');
    this.#raw?.setTimeout?.(this.#pongTimeout);
    this.#raw?.on('timeout', this.#onStuck);
  }

  #listen(): void {
    const before = this.#counts();
    this.#setPhase('listening', this.#pongTimeout, () => {
      const { read, sent } = this.#counts();
      // A full pipe moves only when the peer takes bytes; its answer waits behind megabytes that it has not got to.
      const drains = sent > before.sent && (this.#raw?.writableLength ?? 0) > 0;
      if (read > before.read || drains) this.#watch();
      else this.#die(`no byte came in for ${String(this.#pongTimeout)} ms after a ping`);
    });
  }

  /** While deaf, says often enough that we live for a peer with the same time limit. */
  readonly #speakUp = (): void => {
    if (this.#ws.readyState === this.#ws.OPEN) {
      this.#ws.pong('', undefined, () => undefined); // An error here is the WebSocket's own, reported by its 'close'.
    }
    this.#dueAt = performance.now() + this.#beat;
    this.#setPhase('deaf', this.#beat, this.#speakUp);
  };

  readonly #onPause = (): void => {
    const now = performance.now();
    this.#dueAt = Math.min(this.#dueAt, now + this.#beat);
    this.#setPhase('deaf', this.#dueAt - now, this.#speakUp);
  };

  readonly #onResume = (): void => {
    if (this.#phase === 'deaf') this.#await();
  };

  readonly #onPong = (data: Buffer): void => {
    if (!this.#ping?.payload.equals(data)) return;
    const rtt = performance.now() - this.#ping.sentAt;
    this.#ping = null;
    this.#rtt = rtt;
    // A ping and its pong are no traffic: taken for it, they would let every other look go without one.
    this.#moved();
    if (this.#phase === 'listening' || this.#phase === 'leaving') this.#watch();
    this.emit('pong', rtt);
  };

  readonly #onStuck = (): void => {
    this.#die(`nothing moved in the send queue for ${String(this.#pongTimeout)} ms`);
  };

  readonly #onClose = (): void => {
    this.stop();
  };

  #die(happened: string): void {
    const error = new WsConnError('ETIMEDOUT', `${happened}; the peer is taken for dead`);
    this.stop();
    this.emit('dead', error);
    this.#ws.terminate();
  }
}
