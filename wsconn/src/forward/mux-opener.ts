import { setTimeout as pause } from 'node:timers/promises';

import type { WsConnAdapter } from 'ws-conn-adapter';

import { BackOff } from './back-off.ts';
import type { Dialer } from '../dial/dialer.ts';
import { codeOf } from '../console/error-code.ts';
import { explain } from '../console/explain.ts';
import { Failure } from '../console/failure.ts';
import type { Log } from '../console/log.ts';
import { Mux } from '../tunnel/mux.ts';
import type { Opened, Opener } from './opener.ts';
import { MUX_PROTOCOL } from '../dial/subprotocols.ts';
import { WaitingRoom } from './waiting-room.ts';

/**
 * Time in ms that a new connection waits for the WebSocket to come back: longer than the longest
 * pause between two tries.
 */
const PATIENCE = 30_000;

/**
 * Opens a yamux stream for each connection, over one WebSocket that is made again, with pauses,
 * whenever it dies.
 */
export class MuxOpener implements Opener {
  readonly #dialer: Dialer;
  readonly #log: Log;
  readonly #waiting = new WaitingRoom<Mux>();
  /** All that have streams; only the one that was made last gets new ones. */
  readonly #open = new Set<Mux>();
  readonly #ending = new AbortController();
  readonly #running: Promise<void>;
  #current: Mux | null = null;
  /** Why there is no WebSocket, as far as it is known. */
  #trouble = 'the handshake with it is not done yet';

  constructor(dialer: Dialer, log: Log) {
    this.#dialer = dialer;
    this.#log = log;
    this.#running = this.#run();
  }

  async open(signal: AbortSignal): Promise<Opened> {
    const mux = this.#current ?? (await this.#wait(signal));
    // What may outlive a stream is the WebSocket that all of them share.
    return { connection: mux.open(), gone: Promise.resolve() };
  }

  failure(error: unknown): Error {
    if (error instanceof Failure) return error;
    return new Failure(`${explain(error)}; the log of the server may say why`, { cause: error });
  }

  async end(): Promise<number> {
    this.#ending.abort(new Failure('this program is ending'));
    const wentInTime = await Promise.all([...this.#open].map((mux) => mux.close()));
    await this.#running;
    return wentInTime.filter((inTime) => !inTime).length;
  }

  /** Keeps one WebSocket there, for as long as the program runs. */
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
    const mux = new Mux(adapter, 'client');
    this.#open.add(mux);
    void mux.gone.then(() => this.#open.delete(mux));
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

  /**
   * Gives the streams of this one to all, until the server takes no more; throws what broke it off.
   */
  async #use(mux: Mux): Promise<void> {
    const left = mux.left();
    this.#current = mux;
    this.#waiting.give(mux);
    const how = await left;
    this.#current = null;
    this.#trouble = 'it has ended the connection';
    if (how === 'goaway') {
      this.#log.info(`${this.#dialer.url.host} takes no new connections; open ones go on`);
      mux.retire();
      return;
    }
    const error = await mux.closed;
    if (error) throw error;
  }

  async #wait(signal: AbortSignal): Promise<Mux> {
    const timeout = AbortSignal.timeout(PATIENCE);
    try {
      return await this.#waiting.wait(AbortSignal.any([signal, timeout, this.#ending.signal]));
    } catch (error) {
      if (!timeout.aborted) throw error;
      throw new Failure(`the server was not there in time: ${this.#trouble}`, { cause: error });
    }
  }
}
