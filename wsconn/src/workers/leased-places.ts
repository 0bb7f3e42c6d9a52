/** The server of a worker, as far as its places matter. */
export interface Seats {
  /** The most connections that it takes. */
  places: number;
  /** Of these, those that it does not use. */
  readonly freePlaces: number;
}

/** What a worker tells the primary process of its places. */
export interface LeaseHooks {
  /** It needs more; `granted()` follows. */
  readonly full: () => void;
  readonly gave: (places: number) => void;
}

/** The places that a worker has of --max-connections: it asks for more where it needs them. */
export class LeasedPlaces {
  readonly #seats: Seats;
  readonly #hooks: LeaseHooks;
  /** Whether it gives back what comes free. */
  #further = false;
  /** What goes on when the primary process has answered: with whether there are more. */
  #waiting: ((granted: boolean) => void)[] = [];

  constructor(seats: Seats, hooks: LeaseHooks) {
    this.#seats = seats;
    this.#hooks = hooks;
    seats.places = 0;
  }

  /**
   * Calls `run` when there is a free place, at once where there is, or when all workers together
   * have none.
   */
  whenFree(run: () => void): void {
    if (this.#seats.freePlaces > 0) {
      run();
      return;
    }
    this.#waiting.push((granted) => {
      if (granted) this.whenFree(run);
      else run();
    });
    if (this.#waiting.length === 1) this.#hooks.full();
  }

  /** The primary process has answered. */
  granted(places: number): void {
    this.#seats.places += places;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const goOn of waiting) goOn(places > 0);
  }

  /** Gives back what is not used, and `further` what comes free. */
  recall(further: boolean): void {
    this.#further = further;
    this.#giveBack();
  }

  /** A connection has ended. */
  freed(): void {
    if (this.#further && this.#seats.freePlaces > 0) this.#giveBack();
  }

  #giveBack(): void {
    const places = this.#seats.freePlaces;
    this.#seats.places -= places;
    this.#hooks.gave(places);
  }
}
