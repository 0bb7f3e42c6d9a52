import { escaped } from './escape.ts';
import { codeOf } from './explain.ts';
import { exitCodeOf } from './signals.ts';

/**
 * Writes a line of data to stdout; resolves when it has been taken. When a reader has seen enough
 * (`| head`), it ends the process as SIGPIPE would, which Node ignores.
 */
export function print(text: string): Promise<void> {
  const { stdout } = process;
  // The callback below gets the same error.
  if (stdout.listenerCount('error') === 0) stdout.on('error', () => undefined);
  const lines = text.split('\n').map(escaped).join('\n');
  return new Promise((resolve, reject) => {
    stdout.write(`${lines}\n`, (error) => {
      if (!error) resolve();
      else if (codeOf(error) === 'EPIPE') process.exit(exitCodeOf('SIGPIPE'));
      else reject(error);
    });
  });
}
