import type { EventEmitter } from 'node:events';

import { CloseOutcome } from '../../base/close-outcome.ts';

/** Handles an 'error' that its reader hears of in another way. */
export function ignore(): void {
  // An 'error' without a listener would bring the process down.
}

/**
 * Keeps how a session has ended: emits its first error once, and then 'close' once. Every close()
 * resolves with that error.
 */
export class SessionOutcome extends CloseOutcome {
  readonly #session: EventEmitter;

  constructor(session: EventEmitter) {
    super(session);
    this.#session = session;
  }

  /**
   * Emits the error if it is the first; on a tick of its own, since the caller is within the frames
   * of streams.
   */
  fail(error: Error): void {
    if (this.error) return;
    this.setError(error);
    process.nextTick(() => this.#session.emit('error', error));
  }

  /** Emits 'close', behind an error that is about to be emitted; `before` is called first. */
  close(before: () => void): void {
    process.nextTick(() => {
      before();
      this.emitClose();
    });
  }
}
