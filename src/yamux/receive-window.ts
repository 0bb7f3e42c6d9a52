import { INITIAL_WINDOW } from './frame.ts';

/**
 * Counts what all streams of a session may hold, so that windows grow only while there is memory for them. Each stream has
 * its 256 KiB by protocol: with very many streams these alone can be more than the limit.
 */
export class WindowBudget {
  readonly #limit: number;
  #promised = 0;
  #unread = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Whether the bytes that wait to be read are more than the session may hold. */
  get exceeded(): boolean {
    return this.#unread > this.#limit;
  }

  /** Counts a window that cannot be refused, or takes it back. */
  promise(bytes: number): void {
    this.#promised += bytes;
  }

  /** Counts a window that can be refused, and tells whether there is room for it. */
  tryPromise(bytes: number): boolean {
    if (this.#promised + bytes > this.#limit) return false;
    this.#promised += bytes;
    return true;
  }

  /** Counts bytes that came to wait, or that were read. */
  addUnread(bytes: number): void {
    this.#unread += bytes;
  }
}

/** Largest number of bytes that are read before the peer hears of it: with a large window, waiting for half costs speed. */
const MAX_STEP = 1_048_576;

/** A window of so many times the bytes of one round trip never holds the sender back, also when the measure is rough. */
const ROUND_TRIPS_HELD = 4;

/**
 * Keeps the books of what the peer may still send on one stream. The window is opened again as the user reads, in steps
 * of at least half of it (as hashicorp/yamux does), and doubles while it is what limits the rate: fewer than four round
 * trips' worth of bytes at the measured rate.
 */
export class ReceiveWindow {
  readonly #max: number;
  readonly #budget: WindowBudget;
  #size = INITIAL_WINDOW;
  #open = INITIAL_WINDOW;
  /** Time of the last credit, in ms; of the first byte before that. */
  #since: number | null = null;

  constructor(max: number, budget: WindowBudget) {
    this.#max = max;
    this.#budget = budget;
    budget.promise(INITIAL_WINDOW);
  }

  /** Bytes that the peer may still send. */
  get open(): number {
    return this.#open;
  }

  /** Bytes that may be on their way or unread at one time. */
  get size(): number {
    return this.#size;
  }

  /** Makes the window as large as `size` before it is first announced, and gives the bytes to announce. */
  widen(size: number): number {
    const bytes = size - this.#size;
    if (bytes <= 0 || !this.#budget.tryPromise(bytes)) return 0;
    this.#size += bytes;
    this.#open += bytes;
    return bytes;
  }

  arrived(bytes: number, now: number): void {
    this.#open -= bytes;
    this.#since ??= now;
  }

  /** Whether enough was read to tell the peer. @param unread - bytes that wait for the user */
  isDue(unread: number): boolean {
    return this.#size - this.#open - unread >= Math.min(this.#size / 2, MAX_STEP);
  }

  /**
   * Opens the window again, and gives the bytes to announce to the peer.
   * @param unread - bytes that wait for the user
   * @param roundTrip - shortest of late, in ms; undefined if not known
   */
  credit(unread: number, roundTrip: number | undefined, now: number): number {
    let bytes = this.#size - this.#open - unread;
    if (roundTrip !== undefined && this.#since !== null) {
      bytes += this.#grow((bytes / Math.max(now - this.#since, 0.01)) * roundTrip);
    }
    this.#since = now;
    this.#open += bytes;
    return bytes;
  }

  /** Opens the window as if all was read, and gives the bytes to announce. */
  reopen(): number {
    const bytes = this.#size - this.#open;
    this.#open = this.#size;
    return bytes;
  }

  /** Lets go of the budget; called once, when the stream is gone. */
  release(): void {
    this.#budget.promise(-this.#size);
  }

  #grow(bytesOfRoundTrip: number): number {
    if (this.#size >= ROUND_TRIPS_HELD * bytesOfRoundTrip) return 0;
    const bytes = Math.min(this.#size, this.#max - this.#size);
    if (bytes <= 0 || !this.#budget.tryPromise(bytes)) return 0;
    this.#size += bytes;
    return bytes;
  }
}
