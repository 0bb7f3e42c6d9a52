import type { Log } from '../console/log.ts';
import { watchFiles } from './watch-files.ts';

/** Something made of files, which is made anew when they change. */
export interface Reloaded<T> {
  /** What the files said when they could last be used. */
  current(): T;
  stop(): void;
}

/**
 * Makes something of files, and makes it anew whenever they change. Files that cannot be used, such
 * as a certificate whose key has not been replaced yet, are logged, and what was made before stays
 * in force.
 * @param renewed - called with what was made anew
 */
export async function reloaded<T>(
  paths: readonly string[],
  make: () => Promise<T>,
  log: Log,
  renewed: (value: T) => void = () => undefined,
): Promise<Reloaded<T>> {
  let value: T;
  // Watched before they are read: a change in between is seen then.
  const stop = watchFiles(paths, () => {
    make().then(
      (made) => {
        value = made;
        log.info(`read ${paths.join(' and ')} again`);
        renewed(made);
      },
      (error: unknown) => {
        const problem = error instanceof Error ? error.message : String(error);
        log.info(`${problem}; what was read before stays in force`);
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
  return { current: () => value, stop };
}
