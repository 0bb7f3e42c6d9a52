import { explain } from '../console/explain.ts';
import { Failure, Failures } from '../console/failure.ts';
import type { Log } from '../log/log.ts';
import { placing, type Reread } from './command.ts';
import { levelOf } from './open-log.ts';
import type { CommonName, Values } from './options.ts';

/** What takes effect at once for every command. */
const ALWAYS_LIVE = ['log-level', 'verbose'];

export interface ReloadValues<Name extends string> {
  /** Those that it was started with. */
  readonly started: Values<Name | CommonName>;
  readonly reread: Reread<Name | CommonName>;
  /** Options that take effect while it runs; of others the log says that they need a restart. */
  readonly live: readonly string[];
  /** Uses other values from now on; rejects, and has changed nothing, where they cannot be used. */
  readonly apply: (values: Values<Name | CommonName>) => Promise<void>;
}

/**
 * Returns what reads the configuration file again. Where that or what it says cannot be used, the
 * log has each line of it, and what was there stays. It never rejects, and resolves with whether
 * the values are in use.
 */
export function reloadValues<Name extends string>(
  log: Log,
  { started, reread, live, apply }: ReloadValues<Name>,
): () => Promise<boolean> {
  const reload = async (): Promise<boolean> => {
    try {
      const values = await reread();
      await placing(values, async () => {
        const level = levelOf(values);
        await apply(values);
        log.level = level;
      });
      for (const name of started.changesTo(values)) {
        if (live.includes(name) || ALWAYS_LIVE.includes(name)) continue;
        log.warn(`${name} has changed in the configuration: that needs a restart`);
      }
      log.info('read the configuration again: it counts for new connections');
      return true;
    } catch (error) {
      for (const line of linesOf(error)) log.error(line);
      log.stack(error);
      log.error('the configuration cannot be used: what was read before stays in use');
      return false;
    }
  };
  // One after the other, however many signals come.
  let last = Promise.resolve(true);
  return () => {
    last = last.then(reload);
    return last;
  };
}

function linesOf(error: unknown): readonly string[] {
  if (error instanceof Failures) return error.lines;
  return [error instanceof Failure ? error.message : explain(error)];
}
