import type { UnfinishedMessage } from '../../websocket/unfinished-bytes.ts';
import { dataListenerOfWs, type RawSocket } from '../../websocket/raw-socket.ts';

/**
 * Watches the socket below an open WebSocket for what ws reports late or never: an error, and that
 * nothing more can come from the peer.
 */
export class SocketWatch {
  readonly #raw: RawSocket;
  readonly #onPeerDone: () => void;
  readonly #unfinished: UnfinishedMessage | undefined;
  readonly #dataListenerOfWs: unknown;
  #error: Error | undefined;
  #ended = false;

  /**
   * @param onPeerDone - called when the peer has sent Close or ended TCP, or both, and when ws has
   * ended TCP; more than once
   * @param unfinished - is told what ws has read
   */
  constructor(raw: RawSocket, onPeerDone: () => void, unfinished: UnfinishedMessage | undefined) {
    this.#unfinished = unfinished;
    this.#raw = raw;
    this.#onPeerDone = onPeerDone;
    this.#dataListenerOfWs = dataListenerOfWs(raw);
    raw.on('error', this.#onError);
    raw.on('end', this.#onEnd);
    raw.on('finish', this.#onPeerDone);
    raw.on('data', this.#onData);
    raw.on('removeListener', this.#onListenerRemoved);
  }

  /** Error of the socket. */
  get error(): Error | undefined {
    return this.#error;
  }

  /** Whether the peer has ended TCP in order. */
  get ended(): boolean {
    return this.#ended && !this.#error;
  }

  /** Takes its listeners off the socket. */
  stop(): void {
    const raw = this.#raw;
    raw.off('error', this.#onError);
    raw.off('end', this.#onEnd);
    raw.off('finish', this.#onPeerDone);
    raw.off('removeListener', this.#onListenerRemoved);
    raw.off('data', this.#onData);
  }

  readonly #onError = (error: Error): void => {
    this.#error = error;
  };

  readonly #onEnd = (): void => {
    this.#ended = true;
    this.#onPeerDone();
  };

  /**
   * ws takes its 'data' listener away when it reads no more: the peer's Close has come, or frames
   * that it cannot read. ws reports neither before TCP has ended, which may be never.
   */
  readonly #onListenerRemoved = (_event: string, listener: unknown): void => {
    if (listener === this.#dataListenerOfWs) this.#onPeerDone();
  };

  /**
   * Also makes Node report when ws removes its own listener: of the only one for an event it would
   * not.
   */
  readonly #onData = (chunk: Buffer): void => {
    this.#unfinished?.onChunk(chunk.length);
  };
}
