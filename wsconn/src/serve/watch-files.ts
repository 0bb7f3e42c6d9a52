import { unwatchFile, watchFile } from 'node:fs';

/**
 * How often files are looked at, in ms. Looking is cheap, and sees what notifications miss:
 * renames, symbolic links, network mounts.
 */
const PERIOD = 500;

/**
 * Calls `changed` when one of the files was written, replaced or put back. Does not keep the
 * process alive. Gives a function that stops it.
 */
export function watchFiles(paths: readonly string[], changed: () => void): () => void {
  const listener = (): void => {
    changed();
  };
  for (const path of paths) watchFile(path, { interval: PERIOD, persistent: false }, listener);
  return () => {
    for (const path of paths) unwatchFile(path, listener);
  };
}
