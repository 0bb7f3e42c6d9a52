import type { EventEmitter } from 'node:events';
import type { Duplex } from 'node:stream';

/** One event as it came: its name and what came with it. */
export interface Seen {
  readonly name: string;
  readonly args: readonly unknown[];
}

/** The events of a stream since it is watched. */
export class Recording {
  readonly seen: Seen[] = [];
  /** Resolves at the first 'close'; never rejects, so that a test may look at it or not. */
  readonly closed: Promise<void>;

  constructor(stream: Duplex) {
    for (const name of ['connect', 'ready', 'end', 'finish', 'timeout', 'error', 'close']) {
      stream.on(name, (...args: unknown[]) => {
        this.seen.push({ name, args });
      });
    }
    this.closed = new Promise((resolve) => {
      stream.once('close', () => {
        resolve();
      });
    });
  }

  /** Names of the events in the order they came. */
  get names(): string[] {
    return this.seen.map(({ name }) => name);
  }

  /** How often an event came. */
  count(name: string): number {
    return this.names.filter((seen) => seen === name).length;
  }

  /** The errors that were emitted: the design allows one at most. */
  get errors(): NodeJS.ErrnoException[] {
    return this.seen
      .filter(({ name }) => name === 'error')
      .map(({ args }) => args[0] as NodeJS.ErrnoException);
  }

  /** What the first 'close' said of an error; undefined before it. */
  get hadError(): unknown {
    return this.seen.find(({ name }) => name === 'close')?.args[0];
  }
}

/**
 * Starts to write down what a stream emits ('data' left out, which would make it flow); its errors
 * count as handled.
 */
export function record(stream: Duplex): Recording {
  return new Recording(stream);
}

/**
 * Resolves with the arguments of the next event of that name, whatever else happens: unlike
 * events.once(), no 'error' rejects it.
 */
export function next(emitter: EventEmitter, name: string): Promise<unknown[]> {
  return new Promise((resolve) => {
    emitter.once(name, (...args: unknown[]) => {
      resolve(args);
    });
  });
}

/** Resolves when the stream has closed, at once if it has; an error of it counts as handled. */
export function closeOf(stream: Duplex): Promise<void> {
  stream.on('error', () => undefined);
  return stream.closed ? Promise.resolve() : next(stream, 'close').then(() => undefined);
}

/** Waits for `count` turns of the event loop, so that everything that was due has happened. */
export async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}
