import type { UnfinishedMessage } from '../../websocket/unfinished-bytes.ts';
import {
  dataListenerOfWs,
  dropEndListenerOfWs,
  type RawSocket,
} from '../../websocket/raw-socket.ts';

/** Who is told by a watch. */
export interface SocketWatchHost {
  /**
   * The peer has sent Close or ended TCP, or both, or ws has ended TCP; called more than once.
   */
  onPeerDone(): void;
}

/** Where a socket has its watch: see `LINK`. */
const WATCH: unique symbol = Symbol('watch');

type Watched = RawSocket & { [WATCH]?: SocketWatch };

/**
 * Watches the socket below an open WebSocket for what ws reports late or never: an error, and that
 * nothing more can come from the peer.
 */
export class SocketWatch {
  readonly #raw: Watched;
  readonly #host: SocketWatchHost;
  readonly #unfinished: UnfinishedMessage | undefined;
  readonly #dataListenerOfWs: unknown;
  #error: Error | undefined;

  /** @param unfinished - is told what ws has read */
  constructor(raw: RawSocket, host: SocketWatchHost, unfinished: UnfinishedMessage | undefined) {
    this.#unfinished = unfinished;
    this.#raw = raw;
    this.#host = host;
    this.#dataListenerOfWs = dataListenerOfWs(raw);
    this.#raw[WATCH] = this;
    raw.on('error', SocketWatch.#onError);
    // Where somebody listens beside ws, Node reports that ws takes its own listener away at the end:
    // with a third one Node's list of them takes 144 bytes more.
    if (raw.listenerCount('end') < 2) raw.on('end', SocketWatch.#onEndOrFinish);
    raw.on('finish', SocketWatch.#onEndOrFinish);
    raw.on('data', SocketWatch.#onData);
    raw.on('removeListener', SocketWatch.#onListenerRemoved);
  }

  /** Error of the socket. */
  get error(): Error | undefined {
    return this.#error;
  }

  /** Whether the peer has ended TCP in order. */
  get ended(): boolean {
    return this.#raw.readableEnded && !this.#error;
  }

  /** Takes its listeners off the socket. */
  stop(): void {
    const raw = this.#raw;
    // First, or it would be told of the others.
    raw.off('removeListener', SocketWatch.#onListenerRemoved);
    raw.off('error', SocketWatch.#onError);
    raw.off('end', SocketWatch.#onEndOrFinish);
    raw.off('finish', SocketWatch.#onEndOrFinish);
    raw.off('data', SocketWatch.#onData);
  }

  static readonly #onError = function (this: Watched, error: Error): void {
    const watch = this[WATCH];
    if (watch) watch.#error = error;
  };

  static readonly #onEndOrFinish = function (this: Watched): void {
    const watch = this[WATCH];
    if (watch) watch.#host.onPeerDone();
  };

  /**
   * ws takes its 'data' listener away when it reads no more: the peer's Close has come, or frames
   * that it cannot read. ws reports neither before TCP has ended, which may be never. It takes its
   * 'end' listener away when TCP has ended.
   */
  static readonly #onListenerRemoved = function (
    this: Watched,
    event: string,
    listener: unknown,
  ): void {
    const watch = this[WATCH];
    if (!watch) return;
    const readsNoMore = listener === watch.#dataListenerOfWs;
    if (readsNoMore) dropEndListenerOfWs(this);
    if (readsNoMore || (event === 'end' && this.readableEnded)) watch.#host.onPeerDone();
  };

  /**
   * Also makes Node report when ws removes its own listener: of the only one for an event it would
   * not.
   */
  static readonly #onData = function (this: Watched, chunk: Buffer): void {
    const watch = this[WATCH];
    if (watch) watch.#unfinished?.onChunk(chunk.length);
  };
}
