/**
 * Calls back once when a time has passed, unless it is stopped or put off. It keeps no process
 * alive by itself.
 */
export class Deadline {
  readonly #due: () => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(due: () => void) {
    this.#due = due;
  }

  /** Starts anew, `ms` from now. */
  start(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#due, ms);
    // The transport keeps the process alive, where it should be.
    this.#timer.unref();
  }

  /** Puts it off by as long as it was started for, if it runs. */
  refresh(): void {
    this.#timer?.refresh();
  }

  /** Makes it keep the process alive. */
  ref(): void {
    this.#timer?.ref();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
