import { EventEmitter, once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';

import type { WsConnAdapter } from 'ws-conn-adapter';
import { MUX_PROTOCOL } from 'ws-conn-adapter/yamux';

import { codeOf, explain } from '../console/explain.ts';
import { Failure } from '../console/failure.ts';
import type { Log } from '../console/log.ts';
import type { Dials } from '../dial/live-dialer.ts';
import { Mux } from '../tunnel/mux.ts';
import type { Opened, Opener } from './opener.ts';

/**
 * Time in ms that a new connection waits for the WebSocket to come back: longer than the longest
 * pause between two tries.
 */
const RECONNECT_TIMEOUT = 30_000;

/** Longest pause in ms before the second try to connect. */
const FIRST_PAUSE = 500;
/** Longest pause in ms between any two tries. */
const LONGEST_PAUSE = 15_000;

/**
 * Opens a yamux stream for each connection, over one WebSocket. Whenever that is cut it connects
 * again, with pauses between tries.
 */
export class MuxOpener implements Opener {
  readonly #dialer: Dials;
  readonly #log: Log;
  /** Emits each new Mux as 'mux', for the connections that wait for one. */
  readonly #made = new EventEmitter<{ mux: [Mux] }>().setMaxListeners(0);
  /** All that have streams; only the last one gets new streams. */
  readonly #open = new Set<Mux>();
  readonly #ending = new AbortController();
  readonly #running: Promise<void>;
  #current: Mux | null = null;
  /** Why there is no WebSocket, as far as that is known. */
  #trouble = 'the handshake is not finished yet';

  constructor(dialer: Dials, log: Log) {
    this.#dialer = dialer;
    this.#log = log;
    this.#running = this.#run();
  }

  async open(signal: AbortSignal): Promise<Opened> {
    const mux = this.#current ?? (await this.#wait(signal));
    // Only the WebSocket, which all streams share, may outlive a stream.
    return { connection: mux.open(), released: Promise.resolve() };
  }

  failure(error: unknown): Error {
    if (error instanceof Failure) return error;
    return new Failure(`${explain(error)}; the log of the server may say why`, { cause: error });
  }

  async end(): Promise<number> {
    this.#ending.abort(new Failure('this program is ending'));
    const closedInTime = await Promise.all([...this.#open].map((mux) => mux.close()));
    await this.#running;
    return closedInTime.filter((inTime) => !inTime).length;
  }

  /** Keeps one WebSocket open for as long as the program runs. */
  async #run(): Promise<void> {
    const { signal } = this.#ending;
    const backOff = new BackOff();
    for (;;) {
      try {
        const mux = await this.#connect();
        backOff.reset();
        await this.#use(mux);
      } catch (error) {
        this.#trouble = this.#dialer.failure(error).message;
        if (!signal.aborted) this.#log.info(this.#trouble);
        this.#log.stack(error);
      }
      if (signal.aborted) return;
      const ms = backOff.next();
      this.#log.info(`connecting again in ${(ms / 1000).toFixed(1)} s`);
      await pause(ms, undefined, { signal }).catch(() => undefined);
    }
  }

  async #connect(): Promise<Mux> {
    const adapter = await this.#handshake();
    const mux = new Mux(adapter, { role: 'client' });
    this.#open.add(mux);
    void mux.webSocketClosed.then(() => this.#open.delete(mux));
    this.#log.info(`connected to ${this.#dialer.url.host}`);
    return mux;
  }

  async #handshake(): Promise<WsConnAdapter> {
    try {
      return await this.#dialer.open({ protocols: MUX_PROTOCOL, signal: this.#ending.signal });
    } catch (error) {
      if (codeOf(error) !== 'EPROTO') throw error;
      // A server that picks no subprotocol fails the handshake of a client that asks for one.
      const { message } = this.#dialer.failure(error);
      throw new Failure(`${message}: is it wsconn serve, which --mux needs?`, { cause: error });
    }
  }

  /** Opens all streams over this one until it takes no more; throws the error that ended it. */
  async #use(mux: Mux): Promise<void> {
    const noMore = mux.noMoreStreams();
    this.#current = mux;
    this.#made.emit('mux', mux);
    const how = await noMore;
    this.#current = null;
    this.#trouble = 'it has closed the connection';
    if (how === 'goaway') {
      this.#log.info(`${this.#dialer.url.host} takes no new connections; open ones go on`);
      mux.retire();
      return;
    }
    const error = await mux.closed;
    if (error) throw error;
  }

  async #wait(signal: AbortSignal): Promise<Mux> {
    const timeout = AbortSignal.timeout(RECONNECT_TIMEOUT);
    const any = AbortSignal.any([signal, timeout, this.#ending.signal]);
    try {
      const [mux] = (await once(this.#made, 'mux', { signal: any })) as [Mux];
      return mux;
    } catch (error) {
      if (!timeout.aborted) throw any.reason;
      throw new Failure(`the server could not be reached in time: ${this.#trouble}`, {
        cause: error,
      });
    }
  }
}

/**
 * Returns the pauses between tries to connect. Each may be twice as long as the last, and is
 * shortened at random, so that the clients of one server do not all come back at once.
 */
class BackOff {
  #longest = FIRST_PAUSE;

  /** Returns the next pause in ms: between half of the longest and the longest. */
  next(): number {
    const longest = this.#longest;
    this.#longest = Math.min(longest * 2, LONGEST_PAUSE);
    return longest * (0.5 + Math.random() / 2);
  }

  /** Starts again with the first pause, after a try that succeeded. */
  reset(): void {
    this.#longest = FIRST_PAUSE;
  }
}
