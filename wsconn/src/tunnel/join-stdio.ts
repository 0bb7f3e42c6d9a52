import { join, type WsConnSocket } from 'ws-conn-adapter';

import { codeOf, explain } from '../console/explain.ts';
import { Failure } from '../console/failure.ts';
import type { Log } from '../log/log.ts';
import type { OptionSpecs } from '../options/options.ts';
import { type EndSignal, exitCodeOf, onceAskedToEnd } from '../console/signals.ts';
import type { Dialer } from '../dial/dialer.ts';
import {
  closeDelivered,
  deliverTaken,
  hasLostPath,
  STOP_TIMEOUT,
  webSocketClosed,
} from './close.ts';
import { Stdio } from './stdio.ts';

/** Option of the subcommands that join a connection with stdin and stdout. */
export const EXIT_ON_EOF_OPTION = {
  'exit-on-eof': { help: 'exit when the target ends, not when stdin does' },
} as const satisfies OptionSpecs;

/** What a signal leads to while the path is lost. */
const LAST_TRIES = `tries for ${String(STOP_TIMEOUT / 1000)} s to end the connection in order`;

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
  log: Log,
  { exitOnEof }: JoinStdioOptions,
): Promise<number> {
  const stdio = new Stdio();
  let asked: EndSignal | undefined;
  let stopped: Promise<Stopped> | undefined;
  const stopListening = onceAskedToEnd((signal) => {
    asked = signal;
    stopped = stop(adapter, stdio);
    if (hasLostPath(adapter)) log.info(`${signal}: the path is lost; ${LAST_TRIES}`);
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
  const result = await stopped;
  if (asked === undefined || result === undefined) return 0;
  const exitCode = exitCodeOf(asked);
  const { delivered, lost, error } = result;
  if (lost && error) {
    // It says how many bytes.
    const message = `${asked} came while the path was lost: ${explain(error)}`;
    throw new Failure(message, { exitCode, cause: error });
  }
  if (delivered && !error) return exitCode;
  throw new Failure(`${asked} came before all input from stdin was delivered`, { exitCode });
}

/** What became of what was taken from stdin. */
interface Stopped {
  readonly delivered: boolean;
  /** Whether there was no WebSocket to deliver it over. */
  readonly lost: boolean;
  readonly error: Error | null;
}

/** Takes no more from stdin, delivers what was taken, and closes the connection. */
async function stop(adapter: WsConnSocket, stdio: Stdio): Promise<Stopped> {
  const taken = await deliverTaken(adapter, () => {
    stdio.stopReading();
  });
  const lost = hasLostPath(adapter);
  // close() has it delivered when the path is back, as far as it was written.
  if (lost) stdio.flush();
  const error = await closeDelivered(adapter);
  stdio.destroy();
  return { delivered: taken || lost, lost, error };
}
