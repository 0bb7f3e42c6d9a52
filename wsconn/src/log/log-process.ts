import { explain } from '../console/explain.ts';
import { EXIT_FAILURE } from '../console/failure.ts';
import type { Log } from './log.ts';

/**
 * Has the log say what Node would write to stderr by itself: its warnings, and an error that nobody
 * has caught, which is a fault of this program and ends it.
 * @param log - returns the log to use
 */
export function logProcess(log: () => Log): void {
  process.removeAllListeners('warning');
  process.on('warning', ({ name, message }) => {
    log().warn(`${name} of Node: ${message}`);
  });
  process.on('uncaughtException', (error: unknown) => {
    log().error(`this is a fault of wsconn, please report it: ${explain(error)}`);
    log().stack(error, 'error');
    void log()
      .flushed()
      .then(() => process.exit(EXIT_FAILURE));
  });
}
