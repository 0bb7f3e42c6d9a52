import { join, type WsConnSocket } from 'ws-conn-adapter';

import { codeOf } from '../console/explain.ts';
import { Failure } from '../console/failure.ts';
import type { OptionSpecs } from '../options/options.ts';
import { type EndSignal, exitCodeOf, onceAskedToEnd } from '../console/signals.ts';
import type { Dialer } from '../dial/dialer.ts';
import { closeDelivered, deliverTaken, webSocketClosed } from './close.ts';
import { Stdio } from './stdio.ts';

/** Option of the subcommands that join a connection with stdin and stdout. */
export const EXIT_ON_EOF_OPTION = {
  'exit-on-eof': { help: 'exit when the target ends, not when stdin does' },
} as const satisfies OptionSpecs;

export interface JoinStdioOptions {
  /** Whether the end of what the target sends is the end of stdin too. */
  readonly exitOnEof: boolean;
}

/**
 * Joins stdin and stdout to a connection until both directions have ended and its WebSocket has
 * closed. Returns the exit code.
 * @throws Failure when the connection is refused or cut
 */
export async function joinStdio(
  dialer: Dialer,
  adapter: WsConnSocket,
  { exitOnEof }: JoinStdioOptions,
): Promise<number> {
  const stdio = new Stdio();
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
    await webSocketClosed(adapter);
    stopListening();
  }
  const whole = await stopped;
  if (asked === undefined) return 0;
  const exitCode = exitCodeOf(asked);
  if (whole) return exitCode;
  throw new Failure(`${asked} came before all input from stdin was delivered`, { exitCode });
}

/**
 * Takes no more from stdin, delivers what was taken, and closes the connection. Returns whether all
 * of it was delivered.
 */
async function stop(adapter: WsConnSocket, stdio: Stdio): Promise<boolean> {
  const delivered = await deliverTaken(adapter, () => {
    stdio.stopReading();
  });
  const error = await closeDelivered(adapter);
  stdio.destroy();
  return delivered && error === null;
}
