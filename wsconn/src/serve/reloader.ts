import { unwatchFile, watchFile } from 'node:fs';

import type { Log } from '../log/log.ts';

/**
 * How often files are checked, in ms. It is cheap, and sees what notifications miss:
 * renames, symbolic links, network mounts.
 */
const PERIOD = 500;

/** What is made of files, and of which. */
export interface Source<T> {
  readonly paths: readonly string[];
  readonly make: () => Promise<T>;
  /** Is called with what was made again. */
  readonly remade?: (value: T) => void;
}

/**
 * Makes things of files, and makes them again whenever the files change, or when it is told to.
 * Files that cannot be used, such as a certificate whose key has not been replaced yet, are logged,
 * and what was made before stays in use.
 */
export class Reloader {
  readonly #log: Log;
  readonly #remake = new Set<() => Promise<void>>();
  readonly #watches = new Set<() => void>();

  constructor(log: Log) {
    this.#log = log;
  }

  /**
   * Makes something of files.
   * @returns what returns the last that was made
   * @throws what `make()` throws the first time
   */
  async add<T>({ paths, make, remade }: Source<T>): Promise<() => T> {
    let value: T;
    const remake = async (): Promise<void> => {
      const what = paths.join(' and ');
      try {
        value = await make();
      } catch (error) {
        const problem = error instanceof Error ? error.message : String(error);
        this.#log.error(`${problem}; what was read before stays in use`);
        this.#log.stack(error);
        return;
      }
      this.#log.info(`read ${what} again`);
      remade?.(value);
    };
    // Watched before they are read, so that a change in between is seen.
    const stop = watchFiles(paths, () => void remake());
    try {
      value = await make();
    } catch (error) {
      stop();
      throw error;
    }
    this.#remake.add(remake);
    this.#watches.add(stop);
    return () => value;
  }

  /** Makes nothing any more. */
  stop(): void {
    for (const stop of this.#watches) stop();
    this.#remake.clear();
  }

  /** Makes all again, whether their files have changed or not. */
  async reload(): Promise<void> {
    for (const remake of this.#remake) await remake();
  }
}

/**
 * Calls `changed` when one of the files was written, replaced or restored. Does not keep the
 * process alive. Returns a function that stops it.
 */
function watchFiles(paths: readonly string[], changed: () => void): () => void {
  const listener = (): void => {
    changed();
  };
  for (const path of paths) watchFile(path, { interval: PERIOD, persistent: false }, listener);
  return () => {
    for (const path of paths) unwatchFile(path, listener);
  };
}
