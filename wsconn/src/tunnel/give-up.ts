/**
 * Tells whoever makes a connection that nobody waits for it any more. An AbortController would do,
 * but every connection needs one and ends one, and its events and the error that an abort makes
 * were a twentieth of what a short connection costs.
 */
export class GiveUp {
  #given = false;
  readonly #listeners = new Set<() => void>();

  /** Whether nobody waits any more. */
  get given(): boolean {
    return this.#given;
  }

  /** Calls back all who listen, once. */
  readonly give = (): void => {
    if (this.#given) return;
    this.#given = true;
    const listeners = [...this.#listeners];
    this.#listeners.clear();
    for (const listener of listeners) listener();
  };

  /** Calls back when nobody waits any more, at once if that is so; returns what takes it back. */
  onGiven(listener: () => void): () => void {
    if (this.#given) listener();
    else this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }
}
