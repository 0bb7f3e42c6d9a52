import { constants } from 'node:os';

import { codeOf } from './error-code.ts';

/**
 * Writes lines to stdout; resolves when they have been taken. A reader who has seen enough
 * (`| head`) ends the process, as if by SIGPIPE, which Node ignores.
 */
export function print(text: string): Promise<void> {
  const { stdout } = process;
  // The callback below gets the same error.
  if (stdout.listenerCount('error') === 0) stdout.on('error', () => undefined);
  return new Promise((resolve, reject) => {
    stdout.write(`${text}\n`, (error) => {
      if (!error) resolve();
      else if (codeOf(error) === 'EPIPE') process.exit(128 + constants.signals.SIGPIPE);
      else reject(error);
    });
  });
}
