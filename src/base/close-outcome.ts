import type { EventEmitter } from 'node:events';

/** Shared, since few are waited for by more than one. */
const NONE: readonly (() => void)[] = [];

/**
 * Keeps how a stream or session has ended, which is its first error or null, and calls back who
 * waits for its 'close', also where a user has removed all listeners.
 */
export class CloseOutcome {
  readonly #emitter: EventEmitter;
  #error: Error | null = null;
  #closeEmitted = false;
  #waiting = NONE;

  constructor(emitter: EventEmitter) {
    this.#emitter = emitter;
  }

  /** The first error; null while there was none. */
  get error(): Error | null {
    return this.#error;
  }

  /** Whether 'close' was emitted. */
  get closed(): boolean {
    return this.#closeEmitted;
  }

  /** Keeps an error, if it is the first. */
  setError(error: Error | null): void {
    this.#error ??= error;
  }

  /** Emits 'close', and then calls back who waits for it; called once. */
  emitClose(...args: readonly unknown[]): void {
    this.#closeEmitted = true;
    try {
      this.#emitter.emit('close', ...args);
    } finally {
      const waiting = this.#waiting;
      this.#waiting = NONE;
      for (const callback of waiting) callback();
    }
  }

  /** Calls back once after 'close': now, if it was emitted. */
  onceClosed(callback: () => void): void {
    if (this.#closeEmitted) callback();
    else this.#waiting = this.#waiting.concat(callback);
  }

  /**
   * Waits until 'close' was emitted and resolves with the first error, or null. From here on that
   * error counts as handled.
   */
  afterClose(): Promise<Error | null> {
    if (this.#closeEmitted) return Promise.resolve(this.#error);
    return new Promise((resolve) => {
      // Whoever holds the promise gets the error from it, so an 'error' event must not bring the
      // process down.
      this.#emitter.on('error', () => undefined);
      this.onceClosed(() => {
        resolve(this.#error);
      });
    });
  }
}
