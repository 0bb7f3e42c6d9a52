import type { EventEmitter } from 'node:events';

/** Handles an 'error' that its reader hears of in another way. */
export function ignore(): void {
  // An 'error' without a listener would bring the process down.
}

/**
 * Keeps how a session has ended: emits its first error once, and then 'close' once. Every close()
 * resolves with that error.
 */
export class SessionOutcome {
  readonly #session: EventEmitter;
  #error: Error | null = null;
  #closeEmitted = false;

  constructor(session: EventEmitter) {
    this.#session = session;
  }

  /** The first error; null if there was none. */
  get error(): Error | null {
    return this.#error;
  }

  /** Whether 'close' was emitted. */
  get closed(): boolean {
    return this.#closeEmitted;
  }

  /**
   * Emits the error if it is the first; on a tick of its own, since the caller is within the frames
   * of streams.
   */
  fail(error: Error): void {
    if (this.#error) return;
    this.#error = error;
    process.nextTick(() => this.#session.emit('error', error));
  }

  /** Emits 'close', behind an error that is about to be emitted; `before` is called first. */
  close(before: () => void): void {
    process.nextTick(() => {
      before();
      this.#closeEmitted = true;
      this.#session.emit('close');
    });
  }

  /**
   * Waits until 'close' was emitted and resolves with the error, or null; from here on that error
   * counts as handled.
   */
  afterClose(): Promise<Error | null> {
    if (this.#closeEmitted) return Promise.resolve(this.#error);
    return new Promise((resolve) => {
      // Whoever holds the promise gets the error from it, so an 'error' event must not bring the
      // process down.
      this.#session.on('error', ignore);
      this.#session.once('close', () => {
        resolve(this.#error);
      });
    });
  }
}
