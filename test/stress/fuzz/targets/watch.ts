import type { Duplex } from 'node:stream';

import { check, checkKnown, kindOf } from '../target.ts';

/** Watches how a stream ends. */
export class Watch {
  readonly stream: Duplex;
  /** Resolves at the first 'close'. */
  readonly closed: Promise<void>;
  readonly #events: string[] = [];
  readonly #isHandshake: boolean;
  #error: Error | null = null;
  #erroredAtClose: Error | null = null;

  /** @param isHandshake - whether its error may be one of Node's HTTP parser */
  constructor(stream: Duplex, isHandshake = false) {
    this.stream = stream;
    this.#isHandshake = isHandshake;
    for (const name of ['connect', 'end', 'finish']) {
      stream.on(name, () => this.#events.push(name));
    }
    stream.on('error', (error: Error) => {
      this.#events.push('error');
      this.#error = error;
    });
    this.closed = new Promise((resolve) => {
      stream.on('close', (hadError: unknown) => {
        this.#events.push('close');
        this.#erroredAtClose = stream.errored;
        check(hadError === (this.#error !== null), "the hadError of 'close' is right");
        resolve();
      });
    });
  }

  /** Returns the events in their order, and the error. */
  get outcome(): string {
    return `${this.#events.join(' ')} (${kindOf(this.#error)})`;
  }

  /** Checks, some time after 'close', that it has ended as every stream does. */
  check(): void {
    const count = (name: string): number => this.#events.filter((event) => event === name).length;
    check(count('close') === 1, `a stream has one 'close': ${this.outcome}`);
    check(this.#events.at(-1) === 'close', `nothing comes after 'close': ${this.outcome}`);
    for (const name of ['connect', 'end', 'finish', 'error'])
      check(count(name) <= 1, `'${name}' comes once at most: ${this.outcome}`);
    check(
      !(
        count('end') > 0 &&
        count('error') > 0 &&
        this.#events.indexOf('error') < this.#events.indexOf('end')
      ),
      `no 'end' comes after an 'error': ${this.outcome}`,
    );
    check(this.stream.errored === this.#erroredAtClose, "errored does not change after 'close'");
    check(this.stream.errored === this.#error, `errored is the 'error': ${this.outcome}`);
    if (this.#error) checkKnown(this.#error, this.#isHandshake);
  }
}
