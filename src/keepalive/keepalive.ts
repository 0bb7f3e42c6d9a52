import { EventEmitter } from 'node:events';

import type { WebSocket } from 'ws';

import type { WsConnError } from '../base/errors.ts';
import {
  KeepaliveLoop,
  type KeepaliveLoopEvents,
  type WhenAcknowledged,
} from './keepalive-loop.ts';
import { checkKeepaliveOptions, type KeepaliveOptions, type KeepaliveSettings } from './options.ts';

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
 * The socket that a keepalive belongs to. It is told before the listeners, and costs less than two
 * of them.
 * @internal
 */
export interface KeepaliveOwner {
  onKeepalivePong(rtt: number): void;
  onKeepaliveDead(error: WsConnError): void;
}

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
  readonly #settings: KeepaliveSettings;
  #loop: KeepaliveLoop | null = null;
  #owner: KeepaliveOwner | null = null;
  /** Whether the loop goes on over the next WebSocket, when this one is gone. */
  #outlives = false;
  #roundTrip: number | undefined;
  #referenced = true;
  #stopped = false;

  /** @throws `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE` */
  constructor(ws: WebSocket, options: KeepaliveOptions = {}) {
    super();
    this.#settings = checkKeepaliveOptions(options);
    this.#run(ws);
  }

  /** Round trip of the last ping that was answered, in ms; undefined before the first. */
  get rtt(): number | undefined {
    return this.#loop?.roundTrip ?? this.#roundTrip;
  }

  /** Ends the loop and takes its listeners off the WebSocket. Calling it again does nothing. */
  stop(): void {
    this.#stopped = true;
    this.#halt();
  }

  /** Makes the loop keep the process alive; this is the default. */
  ref(): this {
    this.#referenced = true;
    this.#loop?.ref();
    return this;
  }

  /** Allows the process to end although the loop runs. */
  unref(): this {
    this.#referenced = false;
    this.#loop?.unref();
    return this;
  }

  /** @internal */
  belongTo(owner: KeepaliveOwner): void {
    this.#owner = owner;
  }

  /**
   * Goes on over another WebSocket, and from then on over whichever comes next; rests with none.
   * @param whenAcknowledged - given where the peer acknowledges what it gets
   * @internal
   */
  moveTo(ws: WebSocket | null, whenAcknowledged?: WhenAcknowledged): void {
    this.#outlives = true;
    this.#halt();
    if (ws && !this.#stopped) this.#run(ws, whenAcknowledged);
  }

  /**
   * May be called after each message, so that pings get between those of one turn of the event
   * loop: the socket's 'drain' comes after all of them.
   * @internal
   */
  onSent(): void {
    this.#loop?.onSent();
  }

  #run(ws: WebSocket, whenAcknowledged?: WhenAcknowledged): void {
    const events = new Keepalive.#Events(this, ws);
    this.#loop = new KeepaliveLoop(ws, this.#settings, events, whenAcknowledged);
    if (!this.#referenced) this.#loop.unref();
  }

  #halt(): void {
    this.#roundTrip = this.rtt;
    this.#loop?.stop();
    this.#loop = null;
  }

  /** What the loop over one WebSocket reports. */
  static readonly #Events = class implements KeepaliveLoopEvents {
    readonly #keepalive: Keepalive;
    readonly #ws: WebSocket;

    constructor(keepalive: Keepalive, ws: WebSocket) {
      this.#keepalive = keepalive;
      this.#ws = ws;
    }

    onPong(roundTrip: number): void {
      this.#keepalive.#owner?.onKeepalivePong(roundTrip);
      this.#keepalive.emit('pong', roundTrip);
    }

    onDead(error: WsConnError): void {
      if (!this.#keepalive.#outlives) this.#keepalive.stop();
      this.#keepalive.#owner?.onKeepaliveDead(error);
      this.#keepalive.emit('dead', error);
      this.#ws.terminate();
    }

    onClose(): void {
      if (!this.#keepalive.#outlives) this.#keepalive.stop();
    }
  };
}
