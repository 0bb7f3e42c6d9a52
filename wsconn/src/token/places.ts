/** How many may be taken at once. */
export interface PlaceLimits {
  /** By one address. */
  readonly each: number;
  /** By all. */
  readonly all: () => number;
}

/** Counts what each address has taken of something that there is little of. */
export class Places {
  readonly #limits: PlaceLimits;
  readonly #taken = new Map<string, number>();
  #all = 0;

  constructor(limits: PlaceLimits) {
    this.#limits = limits;
  }

  /** How many are taken. */
  get taken(): number {
    return this.#all;
  }

  /** Takes one for an address; returns false where there is none for it. */
  take(address: string): boolean {
    const own = this.#taken.get(address) ?? 0;
    if (own >= this.#limits.each || this.#all >= this.#limits.all()) return false;
    this.#taken.set(address, own + 1);
    this.#all++;
    return true;
  }

  /** Gives one back. */
  free(address: string): void {
    const own = this.#taken.get(address) ?? 0;
    if (own > 1) this.#taken.set(address, own - 1);
    else this.#taken.delete(address);
    this.#all--;
  }
}
