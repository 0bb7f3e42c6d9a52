import type { Progress } from '../wire/message.ts';

/** Time in ms after which it is told at the latest. */
const ACK_DELAY = 50;

/**
 * Decides when the peer is to hear how far we have got, where no data of ours has told it by the
 * way: after so many bytes, or 50 ms.
 */
export class AckPolicy {
  readonly #bytes: number;
  readonly #due: () => void;
  readonly #onLate: () => void;
  #told: Progress = { received: 0, consumed: 0 };
  #timer: NodeJS.Timeout | undefined;
  #immediate: NodeJS.Immediate | undefined;

  /**
   * @param bytes - bytes that came or were read, after which the peer is told at the next turn of
   * the event loop
   * @param due - called when it is to be told; whoever does it calls `told()`
   * @param look - called when `onProgress()` is to be called again
   */
  constructor(bytes: number, due: () => void, look: () => void) {
    this.#bytes = bytes;
    this.#due = due;
    this.#onLate = look;
  }

  /** Whether there is something to tell. */
  isNews({ received, consumed }: Progress): boolean {
    return received > this.#told.received || consumed > this.#told.consumed;
  }

  /** Records how far we have got. */
  onProgress(progress: Progress): void {
    if (this.#immediate || !this.isNews(progress)) return;
    const news = Math.max(
      progress.received - this.#told.received,
      progress.consumed - this.#told.consumed,
    );
    if (news >= this.#bytes) this.soon();
    else this.#timer ??= setTimeout(this.#onTimer, ACK_DELAY, this.#told).unref();
  }

  /** Tells it in this turn of the event loop: somebody waits for it. */
  soon(): void {
    this.#immediate ??= setImmediate(this.#onImmediate);
  }

  /** The peer was told, by the way or because it was due. */
  told(progress: Progress): void {
    // The timer goes on: to start one anew for each message would cost more than one that comes in
    // vain.
    this.#told = progress;
  }

  /** Forgets what was due: there is no way to the peer. */
  stop(): void {
    clearTimeout(this.#timer);
    clearImmediate(this.#immediate);
    this.#timer = this.#immediate = undefined;
  }

  readonly #onImmediate = (): void => {
    this.#immediate = undefined;
    this.#due();
  };

  /** @param told - what the peer had been told when the timer was started */
  readonly #onTimer = (told: Progress): void => {
    this.#timer = undefined;
    // Where something was told meanwhile, what is new since may wait as long.
    if (told === this.#told) this.#due();
    else this.#onLate();
  };
}
