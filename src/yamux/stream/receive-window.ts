import { INITIAL_WINDOW } from '../wire/frame.ts';

/**
 * Counts what all streams of a session may hold, so that windows grow only while there is memory
 * for them. Each stream has its 256 KiB by protocol: with very many streams these alone can be more
 * than the limit.
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

  /**
   * Counts as much of a window as there is room for, and returns its bytes: at most half of what is
   * left, so that the first streams do not take everything from the next ones.
   */
  promiseUpTo(bytes: number): number {
    const granted = Math.max(0, Math.min(bytes, Math.floor((this.#limit - this.#promised) / 2)));
    this.#promised += granted;
    return granted;
  }

  /** Counts bytes that came to wait, or that were read. */
  addUnread(bytes: number): void {
    this.#unread += bytes;
  }
}

/**
 * Largest number of bytes that are read before the peer hears of it: with a large window, waiting
 * for half costs speed.
 */
const MAX_STEP = 1_048_576;

/**
 * Round trips' worth of bytes that a window may hold. A window that holds the sender back is
 * measured when half of it has come in a round trip, so eight of those make four windows; and a
 * rough measure still leaves room.
 */
const ROUND_TRIPS_HELD = 8;

/**
 * Largest factor of one step of growth: from the first 256 KiB to 16 MiB takes three round trips.
 */
const LARGEST_STEP = 4;

/**
 * Counts what the peer may still send on one stream. The window is opened again as the
 * user reads, in steps of at least half of it (as hashicorp/yamux does), and grows while it is what
 * limits the rate, up to eight round trips' worth of bytes at the measured rate.
 */
export class ReceiveWindow {
  readonly #max: () => number;
  readonly #budget: WindowBudget;
  #size = INITIAL_WINDOW;
  #open = INITIAL_WINDOW;
  /** Time of the last credit, in ms; of the first byte before that. */
  #since: number | null = null;

  /**
   * @param max - bytes beyond which the window does not grow: a transport that still connects may
   * not know them
   */
  constructor(max: () => number, budget: WindowBudget) {
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

  /**
   * Makes the window as large as `size` before it is first announced, and returns the bytes to
   * announce.
   */
  widen(size: number): number {
    const bytes = this.#enlarge(size);
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
   * Opens the window again, and returns the bytes to announce to the peer.
   * @param unread - bytes that wait for the user
   * @param roundTrip - shortest of late, in ms; undefined if not known
   */
  credit(unread: number, roundTrip: number | undefined, now: number): number {
    let bytes = this.#size - this.#open - unread;
    if (roundTrip !== undefined && this.#since !== null) {
      const bytesOfRoundTrip = (bytes / Math.max(now - this.#since, 0.01)) * roundTrip;
      const wanted = Math.min(LARGEST_STEP * this.#size, ROUND_TRIPS_HELD * bytesOfRoundTrip);
      bytes += this.#enlarge(Math.floor(wanted));
    }
    this.#since = now;
    this.#open += bytes;
    return bytes;
  }

  /** Opens the window as if all was read, and returns the bytes to announce. */
  reopen(): number {
    const bytes = this.#size - this.#open;
    this.#open = this.#size;
    return bytes;
  }

  /** Returns the window to the budget; called once, when the stream is gone. */
  release(): void {
    this.#budget.promise(-this.#size);
  }

  /**
   * Makes the window as large as `wanted` if it is smaller, as far as it may be and the session has
   * room; returns the bytes by which it grew.
   */
  #enlarge(wanted: number): number {
    const size = Math.min(wanted, this.#max());
    if (size <= this.#size) return 0;
    const bytes = this.#budget.promiseUpTo(size - this.#size);
    this.#size += bytes;
    return bytes;
  }
}
