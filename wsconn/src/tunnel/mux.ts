import type { WsConnAdapter } from 'ws-conn-adapter';
import { YamuxSession, type YamuxSessionOptions, type YamuxStream } from 'ws-conn-adapter/yamux';

import { gone, goneWithin } from './gone.ts';
import { STOP_TIMEOUT } from './stop.ts';

/** Longest delay in ms that Node's timers can hold: nearly 25 days. */
const MAX_DELAY = 2 ** 31 - 1;

/** Options of the yamux sessions at both ends. */
const SESSION: Omit<YamuxSessionOptions, 'role'> = {
  allowHalfOpen: true,
  // The WebSocket below is kept alive, or not, by --keepalive.
  keepalive: false,
  // A half-closed connection may keep still for as long as it likes, as over TCP.
  streamCloseTimeout: MAX_DELAY,
};

/**
 * One end of a multiplexed WebSocket, which knows its streams and can come to an end with the last
 * of them.
 */
export class Mux {
  readonly #adapter: WsConnAdapter;
  readonly #session: YamuxSession;
  readonly #streams = new Set<YamuxStream>();
  #retired = false;
  /** Resolves when the session is gone, with its error or null; never rejects. */
  readonly closed: Promise<Error | null>;
  /** Resolves when nothing of its WebSocket is left, which may be later. */
  readonly gone: Promise<void>;

  constructor(adapter: WsConnAdapter, role: 'client' | 'server') {
    const session = new YamuxSession(adapter, { ...SESSION, role });
    this.#adapter = adapter;
    this.#session = session;
    this.gone = gone(adapter);
    let failure: Error | null = null;
    session.on('error', (error) => {
      failure = error;
    });
    this.closed = new Promise((resolve) => {
      session.once('close', () => {
        resolve(failure);
      });
    });
  }

  /** Streams that are open. */
  get size(): number {
    return this.#streams.size;
  }

  /** Calls `take` for each stream that the peer opens. */
  onStream(take: (stream: YamuxStream) => void): void {
    this.#session.on('stream', (stream) => {
      this.#add(stream);
      take(stream);
    });
  }

  /**
   * Resolves when the peer takes no new streams, with 'goaway', or when the session fails or ends,
   * with 'gone'.
   */
  left(): Promise<'goaway' | 'gone'> {
    return new Promise((resolve) => {
      for (const [event, how] of [
        ['goaway', 'goaway'],
        ['error', 'gone'],
        ['close', 'gone'],
      ] as const) {
        this.#session.once(event, () => {
          resolve(how);
        });
      }
    });
  }

  /** Opens a stream; throws `ERR_INVALID_STATE` once the peer has left. */
  open(): YamuxStream {
    const stream = this.#session.open();
    this.#add(stream);
    return stream;
  }

  /** Takes and opens no new streams, and ends with the last that is open. */
  retire(): void {
    this.#retired = true;
    this.#session.goAway();
    this.#closeWhenEmpty();
  }

  /**
   * Ends now, all streams with it, and resolves when nothing is left; tells whether its WebSocket
   * went in time.
   */
  async close(): Promise<boolean> {
    await this.#session.close();
    return goneWithin(this.#adapter, STOP_TIMEOUT);
  }

  #add(stream: YamuxStream): void {
    this.#streams.add(stream);
    stream.once('close', () => {
      this.#streams.delete(stream);
      if (this.#retired) this.#closeWhenEmpty();
    });
  }

  #closeWhenEmpty(): void {
    if (this.#streams.size === 0) void this.#session.close();
  }
}
