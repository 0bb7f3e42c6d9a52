import { unwatchFile, watchFile } from 'node:fs';

import type { Log } from '../console/log.ts';

/**
 * How often files are checked, in ms. It is cheap, and sees what notifications miss:
 * renames, symbolic links, network mounts.
 */
const PERIOD = 500;

/**
 * Makes something of files, and makes it again whenever they change. Files that cannot be used,
 * such as a certificate whose key has not been replaced yet, are logged, and what was made before
 * stays in use.
 * @param remade - called with what was made again
 * @returns what returns the last that was made
 */
export async function reloadFiles<T>(
  paths: readonly string[],
  make: () => Promise<T>,
  log: Log,
  remade: (value: T) => void = () => undefined,
): Promise<() => T> {
  let value: T;
  // Watched before they are read, so that a change in between is seen.
  const stop = watchFiles(paths, () => {
    make().then(
      (made) => {
        value = made;
        log.info(`read ${paths.join(' and ')} again`);
        remade(made);
      },
      (error: unknown) => {
        const problem = error instanceof Error ? error.message : String(error);
        log.info(`${problem}; what was read before stays in use`);
        log.stack(error);
      },
    );
  });
  try {
    value = await make();
  } catch (error) {
    stop();
    throw error;
  }
  return () => value;
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
