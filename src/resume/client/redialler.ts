import { Backoff } from './backoff.ts';
import { NetworkWatch } from './network-watch.ts';

/** A try to reach the server, while it lasts. */
export interface Try {
  stop(): void;
  setReferenced(referenced: boolean): void;
}

/**
 * When the client dials: at once, then after longer and longer rests, and whenever the network has
 * changed; one try at a time.
 */
export class Redialler {
  readonly #dial: () => Try;
  readonly #onError: (error: Error) => void;
  readonly #backoff = new Backoff();
  readonly #network = new NetworkWatch(() => {
    this.now();
  });
  #try: Try | null = null;
  #rest: NodeJS.Timeout | undefined;
  #referenced = true;
  #stopped = false;
  /** Whether the try that is under way began before there was a reason to dial at once. */
  #outdated = false;

  /**
   * @param dial - begins a try
   * @param onError - it could not even begin
   */
  constructor(dial: () => Try, onError: (error: Error) => void) {
    this.#dial = dial;
    this.#onError = onError;
  }

  /** There is no WebSocket: a change of the network is a reason to dial from now on. */
  start(): void {
    if (this.#stopped) return;
    this.#network.start();
    this.plan();
  }

  /** Dials after the next rest. */
  plan(): void {
    // One is under way, to take over from the WebSocket that is lost now.
    if (this.#try || this.#stopped) return;
    clearTimeout(this.#rest);
    const wait = this.#outdated ? 0 : this.#backoff.next();
    this.#outdated = false;
    this.#rest = setTimeout(() => {
      this.#begin();
    }, wait);
    if (!this.#referenced) this.#rest.unref();
  }

  /** Dials without a rest; where a try is under way, once that has failed. */
  now(): void {
    if (this.#stopped) return;
    if (this.#try) {
      this.#outdated = true;
      return;
    }
    clearTimeout(this.#rest);
    this.#begin();
  }

  /** The try has ended, one way or the other. */
  done(): void {
    this.#try = null;
  }

  /** The path lets something through: the next rests are short again. */
  reset(): void {
    this.#backoff.reset();
  }

  /** There is a WebSocket, or none is wanted. */
  pause(): void {
    this.#outdated = false;
    clearTimeout(this.#rest);
    this.#network.stop();
  }

  /** Ends it for good, with the try that is under way. */
  stop(): void {
    this.#stopped = true;
    this.pause();
    this.#try?.stop();
    this.#try = null;
  }

  setReferenced(referenced: boolean): void {
    this.#referenced = referenced;
    this.#try?.setReferenced(referenced);
    if (referenced) this.#rest?.ref();
    else this.#rest?.unref();
  }

  #begin(): void {
    try {
      this.#try = this.#dial();
      this.#try.setReferenced(this.#referenced);
    } catch (error) {
      this.#onError(error as Error);
    }
  }
}
