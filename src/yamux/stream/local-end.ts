import { isolate } from '../../base/errors.ts';
import type { FrameRun } from '../wire/frame-run.ts';

/**
 * Follows what this side of a stream sends to its end. What is in a frame may still be lost, until
 * the transport has taken the run that the frame is in.
 */
export class LocalEnd {
  readonly #onSent: () => void;
  /** The run that the last bytes, or the last frame, are in. */
  #lastRun: FrameRun | null = null;
  #sent = false;
  #taken = false;
  #whenTaken: (() => void) | null = null;

  /** @param onSent - called once, when the last frame has gone out, or when none will */
  constructor(onSent: () => void) {
    this.#onSent = onSent;
  }

  /** Whether the transport has taken FIN or RST. */
  get taken(): boolean {
    return this.#taken;
  }

  /** Bytes have gone into that run. */
  follow(run: FrameRun): void {
    this.#lastRun = run;
  }

  /** Calls back once, when the transport has taken everything with the FIN. */
  whenTaken(callback: () => void): void {
    this.#whenTaken = callback;
  }

  /** FIN or RST has gone into that run. */
  sendIn(run: FrameRun, onTaken: () => void): void {
    this.#lastRun = run;
    this.skip();
    run.whenSettled((lost) => {
      if (lost) return;
      this.#taken = true;
      this.#confirm();
      onTaken();
    });
  }

  /** No FIN will be sent: there is nobody to send it to. */
  skip(): void {
    if (this.#sent) return;
    this.#sent = true;
    this.#onSent();
  }

  /**
   * Without a FIN: confirms the end once the transport has taken all that was sent, or reports the
   * error by which it was lost.
   */
  settle(onLost?: (error: Error) => void): void {
    if (!this.#lastRun) {
      this.#confirm();
      return;
    }
    this.#lastRun.whenSettled((lost) => {
      if (!lost) this.#confirm();
      else if (onLost)
        isolate(() => {
          onLost(lost);
        });
    });
  }

  /** Drops the callback. */
  forget(): void {
    this.#whenTaken = null;
  }

  #confirm(): void {
    const callback = this.#whenTaken;
    this.#whenTaken = null;
    if (callback) isolate(callback);
  }
}
