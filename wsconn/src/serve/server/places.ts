import type { WsConnServer, WsConnSocket } from 'ws-conn-adapter';
import type { YamuxStream } from 'ws-conn-adapter/yamux';

/**
 * Counts the places of a server: a stream within a connection takes one as the connection does, for
 * each has a connection to its target.
 */
export class Places {
  readonly #server: WsConnServer<WsConnSocket>;
  readonly #onFreed: () => void;
  #limit: number;
  /** Where others share the limit: calls back when there may be room for one more. */
  #whenFree: ((run: () => void) => void) | undefined;
  #streams = 0;
  #refusing = false;
  /** Streams for which room was asked for. */
  readonly #asked = new WeakSet<YamuxStream>();

  /** @param onFreed - called when a place that is shared may have come free */
  constructor(server: WsConnServer<WsConnSocket>, onFreed: () => void) {
    this.#server = server;
    this.#onFreed = onFreed;
    this.#limit = server.maxConnections;
  }

  /** The most connections and streams at once. */
  get limit(): number {
    return this.#limit;
  }

  set limit(limit: number) {
    this.#limit = limit;
    this.#update();
  }

  /** Whether others share the limit. */
  get shared(): boolean {
    return this.#whenFree !== undefined;
  }

  /**
   * Shares the limit with others from now on.
   * @param whenFree - calls back when there may be room for one more
   */
  share(whenFree: (run: () => void) => void): void {
    this.#whenFree = whenFree;
  }

  /** Has none for new connections from now on. */
  refuseNew(): void {
    this.#refusing = true;
    this.#update();
  }

  /**
   * Takes one for a stream until it is closed. Where the limit is shared and reached, more is asked
   * for once, and `again` is called when it may be there.
   */
  takeFor(stream: YamuxStream, again: () => void): 'taken' | 'asked for' | 'none' {
    if (this.#isFull) {
      if (!this.#whenFree || this.#asked.has(stream)) return 'none';
      this.#asked.add(stream);
      stream.on('error', () => undefined); // Nobody else listens before it has its place.
      this.#whenFree(() => {
        if (!stream.destroyed) again();
      });
      return 'asked for';
    }
    this.#streams++;
    this.#update();
    stream.once('close', () => {
      this.#streams--;
      this.#update();
      this.freed();
    });
    return 'taken';
  }

  /** Tells of a place once those who count it have seen that it is free. */
  readonly freed = (): void => {
    if (this.#whenFree) setImmediate(this.#onFreed);
  };

  /** One more than the limit fits in, but not one for each of those that share it. */
  get #isFull(): boolean {
    const all = this.#server.connections + this.#streams;
    return this.#whenFree ? all >= this.#limit : all > this.#limit;
  }

  #update(): void {
    this.#server.maxConnections = this.#refusing ? 0 : Math.max(this.#limit - this.#streams, 0);
  }
}
