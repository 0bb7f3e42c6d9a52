import type { WsConnSocket } from 'ws-conn-adapter';
import { YamuxSession, type YamuxSessionOptions, type YamuxStream } from 'ws-conn-adapter/yamux';

import { hasLostPath, webSocketClosed, webSocketClosedInTime } from './close.ts';

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

/** One end of a multiplexed WebSocket. It knows its streams, and can end with the last of them. */
export class Mux {
  readonly #adapter: WsConnSocket;
  readonly #session: YamuxSession;
  readonly #streams = new Set<YamuxStream>();
  #retired = false;
  /** Resolves when the session has closed, with its error or null; never rejects. */
  readonly closed: Promise<Error | null>;
  /** Resolves when its WebSocket has closed, which may be later. */
  readonly webSocketClosed: Promise<void>;

  constructor(
    adapter: WsConnSocket,
    options: Pick<YamuxSessionOptions, 'maxStreams'> & { readonly role: 'client' | 'server' },
  ) {
    const session = new YamuxSession(adapter, { ...SESSION, ...options });
    this.#adapter = adapter;
    this.#session = session;
    this.webSocketClosed = webSocketClosed(adapter);
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

  /** What the streams run over. */
  get carrier(): WsConnSocket {
    return this.#adapter;
  }

  /** Streams that are open. */
  get size(): number {
    return this.#streams.size;
  }

  /** Calls `accept` with each stream that the peer opens. */
  onStream(accept: (stream: YamuxStream) => void): void {
    this.#session.on('stream', (stream) => {
      this.#add(stream);
      accept(stream);
    });
  }

  /**
   * Resolves when no more streams can be opened: with 'goaway' when the peer accepts none, with
   * 'ended' when the session fails or ends.
   */
  noMoreStreams(): Promise<'goaway' | 'ended'> {
    return new Promise((resolve) => {
      for (const [event, how] of [
        ['goaway', 'goaway'],
        ['error', 'ended'],
        ['close', 'ended'],
      ] as const) {
        this.#session.once(event, () => {
          resolve(how);
        });
      }
    });
  }

  /** Opens a stream; throws `ERR_INVALID_STATE` when no more can be opened. */
  open(): YamuxStream {
    const stream = this.#session.open();
    this.#add(stream);
    return stream;
  }

  /** Accepts and opens no new streams, and ends with the last that is open. */
  retire(): void {
    this.#retired = true;
    this.#session.goAway();
    this.#closeWhenEmpty();
  }

  /**
   * Ends now, and all streams with it. Resolves when its WebSocket has closed, with whether it did
   * so in time.
   */
  async close(): Promise<boolean> {
    await this.#session.close();
    // That had time for the path to come back, and its streams were cut with it.
    if (hasLostPath(this.#adapter)) return true;
    return webSocketClosedInTime(this.#adapter);
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
