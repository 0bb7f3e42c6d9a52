import { join, type WsConnAdapter } from 'ws-conn-adapter';

import type { Dialer } from '../dial/dialer.ts';
import { codeOf } from '../console/error-code.ts';
import { Failure } from '../console/failure.ts';
import { gone } from './gone.ts';
import type { OptionSpecs } from '../console/options.ts';
import { type EndSignal, exitCodeOf, onceAskedToEnd } from '../console/signals.ts';
import type { Stdio } from './stdio.ts';
import { closeStopped, handOn } from './close.ts';

/** Option of those that join a connection with stdin and stdout. */
export const EXIT_ON_EOF_OPTION = {
  'exit-on-eof': { help: 'end when the target has, in place of waiting for the end of stdin' },
} as const satisfies OptionSpecs;

export interface ThroughStdioOptions {
  /** Whether the end of what the target sends is the end of stdin too. */
  readonly exitOnEof: boolean;
}

/**
 * Joins stdin and stdout to a connection until both directions are done and nothing of it is left,
 * and gives the exit code.
 * @throws Failure when the connection is refused or breaks off
 */
export async function throughStdio(
  dialer: Dialer,
  adapter: WsConnAdapter,
  stdio: Stdio,
  { exitOnEof }: ThroughStdioOptions,
): Promise<number> {
  let asked: EndSignal | undefined;
  let stopped: Promise<boolean> | undefined;
  const stopListening = onceAskedToEnd((signal) => {
    asked = signal;
    stopped = stop(adapter, stdio);
  });
  if (exitOnEof) {
    adapter.once('end', () => {
      stdio.stopReading();
    });
  }
  try {
    await join(adapter, stdio);
  } catch (error) {
    if (asked === undefined) {
      // A reader of stdout who has seen enough (`| head`) ends this as SIGPIPE would, which Node
      // ignores.
      if (error === stdio.errored && codeOf(error) === 'EPIPE') return exitCodeOf('SIGPIPE');
      throw dialer.failure(error);
    }
  } finally {
    await gone(adapter);
    stopListening();
  }
  const whole = await stopped;
  if (asked === undefined) return 0;
  const exitCode = exitCodeOf(asked);
  if (whole) return exitCode;
  throw new Failure(`${asked} came before all that stdin had brought was delivered`, { exitCode });
}

/**
 * Takes no more from stdin, delivers what was taken, and ends the connection; tells whether all of
 * it was delivered.
 */
async function stop(adapter: WsConnAdapter, stdio: Stdio): Promise<boolean> {
  const handedOn = await handOn(adapter, () => {
    stdio.stopReading();
  });
  const error = await closeStopped(adapter);
  stdio.destroy();
  return handedOn && error === null;
}
