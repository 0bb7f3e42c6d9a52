/** What becomes of places: told to the worker of that number. */
export interface PlaceHooks {
  /** It may have so many connections more; none where all are taken. */
  readonly grant: (worker: number, places: number) => void;
  /** It is to give back those that it does not use, and `further` ones as they come free. */
  readonly recall: (worker: number, further: boolean) => void;
}

/**
 * Divides the places of --max-connections among workers as they need them: what all of them have
 * together is never more than there is. Where one needs more and none is left, the others give back
 * what they do not use.
 */
export class PlaceBook {
  readonly #hooks: PlaceHooks;
  #max: number;
  /** What each worker has. */
  readonly #places = new Map<number, number>();
  /** Those that need more. */
  readonly #waiting = new Set<number>();
  /** Those that have not answered yet that they give back what they do not use. */
  readonly #recalled = new Set<number>();
  /** Whether they have more than there is, since there is less than there was. */
  #over = false;

  constructor(max: number, hooks: PlaceHooks) {
    this.#max = max;
    this.#hooks = hooks;
  }

  /** Places that no worker has; less than none where there is less than there was. */
  get free(): number {
    return [...this.#places.values()].reduce((left, places) => left - places, this.#max);
  }

  /** There are so many from now on. */
  set max(max: number) {
    this.#max = max;
    this.#over = this.free < 0;
    for (const worker of this.#places.keys()) this.#hooks.recall(worker, this.#over);
    this.#serve();
  }

  /** A worker has started: it has none. */
  join(worker: number): void {
    this.#places.set(worker, 0);
    if (this.#over) this.#hooks.recall(worker, true);
  }

  /** A worker is gone, and its connections with it. */
  leave(worker: number): void {
    this.#places.delete(worker);
    this.#waiting.delete(worker);
    this.#recalled.delete(worker);
    this.#settle();
  }

  /** A worker needs more. */
  ask(worker: number): void {
    this.#waiting.add(worker);
    this.#serve();
    if (this.#waiting.size === 0 || this.#recalled.size > 0) return;
    for (const each of this.#places.keys()) this.#recalled.add(each);
    for (const each of [...this.#recalled]) this.#hooks.recall(each, this.#over);
  }

  /** A worker has given back so many. */
  gave(worker: number, places: number): void {
    this.#places.set(worker, (this.#places.get(worker) ?? 0) - places);
    this.#recalled.delete(worker);
    this.#settle();
  }

  #settle(): void {
    if (this.#over && this.free >= 0) {
      this.#over = false;
      for (const worker of this.#places.keys()) this.#hooks.recall(worker, false);
    }
    this.#serve();
    if (this.#recalled.size > 0) return;
    // All have answered: there are none.
    for (const worker of this.#waiting) this.#hooks.grant(worker, 0);
    this.#waiting.clear();
  }

  /** Gives each that waits its share of what is free, but not all: another may need some next. */
  #serve(): void {
    for (const worker of this.#waiting) {
      const { free } = this;
      if (free <= 0) return;
      const places = Math.max(1, Math.floor(free / (2 * this.#places.size)));
      this.#waiting.delete(worker);
      this.#places.set(worker, (this.#places.get(worker) ?? 0) + places);
      this.#hooks.grant(worker, places);
    }
  }
}
