import { networkInterfaces } from 'node:os';

/** Time in ms between two looks. */
const INTERVAL = 1_000;

/** Returns the addresses of this machine, as one text to compare. */
function addresses(): string {
  return Object.values(networkInterfaces())
    .flatMap((list) => list?.map(({ address, netmask }) => `${address}/${netmask}`) ?? [])
    .toSorted()
    .join();
}

/** Looks each second whether the machine has got other addresses, as a laptop does that moves. */
export class NetworkWatch {
  readonly #onChange: () => void;
  #timer: NodeJS.Timeout | undefined;
  #seen = '';

  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  /** Looks from now on, if it does not yet. It keeps no process alive by itself. */
  start(): void {
    if (this.#timer) return;
    this.#seen = addresses();
    this.#timer = setInterval(() => {
      const now = addresses();
      if (now === this.#seen) return;
      this.#seen = now;
      this.#onChange();
    }, INTERVAL).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
