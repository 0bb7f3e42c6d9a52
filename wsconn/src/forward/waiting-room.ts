/** Lets callers wait, each for a time of its own, until there is something for all of them. */
export class WaitingRoom<T> {
  readonly #waiting = new Set<(value: T) => void>();

  /**
   * Waits for the next value; rejects with the reason of the signal when that fires first. A time
   * limit is a signal too: `AbortSignal.timeout()`.
   */
  wait(signal: AbortSignal): Promise<T> {
    return new Promise((resolve, reject) => {
      const take = (value: T): void => {
        settle();
        resolve(value);
      };
      const giveUp = (): void => {
        settle();
        reject(signal.reason as Error);
      };
      const settle = (): void => {
        this.#waiting.delete(take);
        signal.removeEventListener('abort', giveUp);
      };
      this.#waiting.add(take);
      signal.addEventListener('abort', giveUp);
      if (signal.aborted) giveUp();
    });
  }

  /** Gives all who wait the value. */
  give(value: T): void {
    for (const take of this.#waiting) take(value);
  }
}
