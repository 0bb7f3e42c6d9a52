import type { WsConnAdapter } from '../adapter.ts';
import { GOING_AWAY } from '../close-code.ts';
import { join } from '../join.ts';

import type { Dialer } from './dialer.ts';
import { codeOf } from './error-code.ts';
import { exitCodeOf, onceAskedToEnd } from './signals.ts';
import type { Stdio } from './stdio.ts';

/**
 * Joins stdin and stdout to a connection until both directions are done, and gives the exit code.
 * @throws Failure when the connection is refused or breaks off
 */
export async function throughStdio(dialer: Dialer, adapter: WsConnAdapter, stdio: Stdio): Promise<number> {
  let exitCode = 0;
  const stopListening = onceAskedToEnd((signal) => {
    exitCode = exitCodeOf(signal);
    void adapter.close(GOING_AWAY);
  });
  // Nobody is left to take what could still come from stdin, and somebody at a terminal should not have to type Ctrl-D.
  adapter.ws.once('close', () => {
    stdio.stopReading();
  });
  try {
    await join(adapter, stdio);
  } catch (error) {
    // A reader of stdout who has seen enough (`| head`) ends this as SIGPIPE would, which Node ignores.
    if (exitCode === 0 && error === stdio.errored && codeOf(error) === 'EPIPE') return exitCodeOf('SIGPIPE');
    if (exitCode === 0) throw dialer.failure(error);
  } finally {
    stopListening();
  }
  return exitCode;
}
