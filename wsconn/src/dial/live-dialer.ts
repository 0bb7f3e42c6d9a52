import type { Dialer } from './dialer.ts';

/** What dials the server of a URL. */
export type Dials = Pick<Dialer, 'url' | 'place' | 'dial' | 'open' | 'failure'>;

/** Dials by another dialer from the moment on that it is given one. */
export class LiveDialer implements Dials {
  #current: Dialer;

  constructor(first: Dialer) {
    this.#current = first;
  }

  /** Dials by this one from now on. */
  set current(dialer: Dialer) {
    this.#current = dialer;
  }

  get url(): URL {
    return this.#current.url;
  }

  get place(): string {
    return this.#current.place;
  }

  dial(...args: Parameters<Dialer['dial']>): ReturnType<Dialer['dial']> {
    return this.#current.dial(...args);
  }

  open(...args: Parameters<Dialer['open']>): ReturnType<Dialer['open']> {
    return this.#current.open(...args);
  }

  failure(error: unknown): ReturnType<Dialer['failure']> {
    return this.#current.failure(error);
  }
}
