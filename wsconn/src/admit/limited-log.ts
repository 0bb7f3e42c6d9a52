import type { Log, LogFields } from '../log/log.ts';

/** Lines in one period, and its length in ms. */
const MOST_LINES = 30;
const PERIOD = 60_000;

/** Logs what strangers cause at will, but not more of it than a disk can bear. */
export class LimitedLog {
  readonly #log: Log;
  readonly #what: string;
  #lines = 0;
  #leftOut = 0;

  /** @param what - what the lines report, such as `refused TLS handshakes` */
  constructor(log: Log, what: string) {
    this.#log = log;
    this.#what = what;
  }

  info(text: string, fields: LogFields): void {
    if (++this.#lines === 1) {
      setTimeout(() => {
        this.#endPeriod();
      }, PERIOD).unref();
    }
    if (this.#lines <= MOST_LINES) this.#log.info(text, fields);
    else if (++this.#leftOut === 1)
      this.#log.info(`${this.#what}: further ones are counted for ${String(PERIOD / 1000)} s`);
  }

  /** Says how many lines were left out, and begins anew. */
  #endPeriod(): void {
    const leftOut = this.#leftOut;
    this.#lines = this.#leftOut = 0;
    if (leftOut === 0) return;
    this.#log.info(`${this.#what}: ${String(leftOut)} more were left out here`, { leftOut });
  }
}
