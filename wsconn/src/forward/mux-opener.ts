import { EventEmitter, once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';

import type { WsConnSocket } from 'ws-conn-adapter';
import { MUX_PROTOCOL } from 'ws-conn-adapter/yamux';

import { codeOf, explain } from '../console/explain.ts';
import { Failure } from '../console/failure.ts';
import type { Log } from '../log/log.ts';
import type { Dials } from '../dial/live-dialer.ts';
import { Mux } from '../tunnel/mux.ts';
import type { GiveUp } from '../tunnel/give-up.ts';
import { MUX_WITH_HEADERS, type Wish, writeWish } from '../tunnel/stream-header.ts';
import { BackOff } from './back-off.ts';
import { answerOf, type Opened, type Opener } from './opener.ts';

/**
 * Time in ms that a new connection waits for the WebSocket to come back: longer than the longest
 * pause between two tries.
 */
const RECONNECT_TIMEOUT = 30_000;

/** A WebSocket with its streams. */
interface Session {
  readonly mux: Mux;
  /** Whether its streams begin with a header. */
  readonly hasHeaders: boolean;
}

const TOO_OLD =
  'the server knows no names of targets with --mux, and no SOCKS: update its wsconn, or leave --mux out';

/**
 * Opens a yamux stream for each connection, over one WebSocket. Whenever that is cut it connects
 * again, with pauses between tries.
 */
export class MuxOpener implements Opener {
  readonly #dialer: Dials;
  readonly #log: Log;
  readonly #usesHeaders: boolean;
  /** Emits each new session as 'made', for the connections that wait for one. */
  readonly #sessions = new EventEmitter<{ made: [Session] }>().setMaxListeners(0);
  /** All that have streams; only the last one gets new streams. */
  readonly #open = new Set<Mux>();
  readonly #ending = new AbortController();
  readonly #running: Promise<void>;
  #current: Session | null = null;
  /** Why there is no WebSocket, as far as that is known. */
  #trouble = 'the handshake is not finished yet';

  /** @param usesHeaders - whether targets will be named, or addresses */
  constructor(dialer: Dials, log: Log, usesHeaders: boolean) {
    this.#dialer = dialer;
    this.#log = log;
    this.#usesHeaders = usesHeaders;
    this.#running = this.#run();
  }

  async open(wish: Wish, nobodyWaits: GiveUp): Promise<Opened> {
    const { mux, hasHeaders } = this.#current ?? (await this.#wait(nobodyWaits));
    if (!hasHeaders && !('name' in wish && wish.name === '')) throw new Failure(TOO_OLD);
    const opened = { connection: mux.open(), carrier: mux.carrier };
    // Only the WebSocket, which all streams share, may outlive a stream.
    const released = Promise.resolve();
    if (!hasHeaders) return { ...opened, released };
    writeWish(opened.connection, wish);
    return { ...opened, answered: answerOf(opened.connection), released };
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
        const session = await this.#connect();
        backOff.reset();
        await this.#use(session);
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

  async #connect(): Promise<Session> {
    const adapter = await this.#handshake();
    const hasHeaders = adapter.ws?.protocol === MUX_WITH_HEADERS;
    const mux = new Mux(adapter, { role: 'client' });
    this.#open.add(mux);
    void mux.webSocketClosed.then(() => this.#open.delete(mux));
    this.#log.info(`connected to ${this.#dialer.place}`);
    if (!hasHeaders && this.#usesHeaders) this.#log.warn(TOO_OLD);
    return { mux, hasHeaders };
  }

  async #handshake(): Promise<WsConnSocket> {
    // A signal that fires later than that would cut the connection.
    const handshake = new AbortController();
    const giveUp = (): void => {
      handshake.abort(this.#ending.signal.reason);
    };
    this.#ending.signal.addEventListener('abort', giveUp);
    if (this.#ending.signal.aborted) giveUp();
    try {
      // Old servers know only the last protocol.
      const protocols = [MUX_WITH_HEADERS, MUX_PROTOCOL];
      return await this.#dialer.open({ protocols, signal: handshake.signal });
    } catch (error) {
      if (codeOf(error) !== 'EPROTO') throw error;
      // A server that picks no subprotocol fails the handshake of a client that asks for one.
      const { message } = this.#dialer.failure(error);
      throw new Failure(`${message}: is it wsconn serve, which --mux needs?`, { cause: error });
    } finally {
      this.#ending.signal.removeEventListener('abort', giveUp);
    }
  }

  /** Opens all streams over this one until it takes no more; throws the error that ended it. */
  async #use(session: Session): Promise<void> {
    const { mux } = session;
    const noMore = mux.noMoreStreams();
    this.#current = session;
    this.#sessions.emit('made', session);
    const how = await noMore;
    this.#current = null;
    this.#trouble = 'it has closed the connection';
    if (how === 'goaway') {
      this.#log.info(`${this.#dialer.place} takes no new connections; open ones go on`);
      mux.retire();
      return;
    }
    const error = await mux.closed;
    if (error) throw error;
  }

  async #wait(nobodyWaits: GiveUp): Promise<Session> {
    const timeout = AbortSignal.timeout(RECONNECT_TIMEOUT);
    const left = new AbortController();
    const stopListening = nobodyWaits.onGiven(() => {
      left.abort(new Failure('nobody waits for the connection any more'));
    });
    const any = AbortSignal.any([left.signal, timeout, this.#ending.signal]);
    try {
      const [session] = (await once(this.#sessions, 'made', { signal: any })) as [Session];
      return session;
    } catch (error) {
      if (!timeout.aborted) throw any.reason;
      throw new Failure(`the server could not be reached in time: ${this.#trouble}`, {
        cause: error,
      });
    } finally {
      stopListening();
    }
  }
}
