import type { Duplex } from 'node:stream';

/** One event as it came: its name and what came with it. */
export interface Seen {
  readonly name: string;
  readonly args: readonly unknown[];
}

/** The events of a stream since it is watched, 'data' left out, which would make it flow. */
export class Recording {
  readonly seen: Seen[] = [];
  readonly #close: () => Promise<void>;

  /** @param close waits for 'close', which may have come. */
  constructor(stream: Duplex, close: () => Promise<void>) {
    this.#close = close;
    for (const name of ['connect', 'ready', 'end', 'finish', 'timeout', 'error', 'close']) {
      stream.on(name, (...args: unknown[]) => {
        this.seen.push({ name, args });
      });
    }
  }

  /** Resolves when 'close' has come; never rejects. */
  get closed(): Promise<void> {
    return this.#close();
  }

  /** Names of the events in the order they came. */
  get names(): string[] {
    return this.seen.map(({ name }) => name);
  }

  /** How often an event came. */
  count(name: string): number {
    return this.names.filter((seen) => seen === name).length;
  }

  /** The errors that were emitted: one at most is promised. */
  get errors(): NodeJS.ErrnoException[] {
    return this.seen
      .filter(({ name }) => name === 'error')
      .map(({ args }) => args[0] as NodeJS.ErrnoException);
  }

  /** Codes of the errors that were emitted; '' for an error without one. */
  get codes(): string[] {
    return this.errors.map(({ code }) => code ?? '');
  }

  /** What the first 'close' said of an error; undefined before it, and where it says nothing. */
  get hadError(): unknown {
    return this.seen.find(({ name }) => name === 'close')?.args[0];
  }
}
