import { constants } from 'node:os';

/**
 * Signals that ask to end: Ctrl-C, a service manager, and a terminal that closes (or OpenSSH, done
 * with its ProxyCommand).
 */
const END_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** Those that ask a server to end: the terminal that it was started from may close. */
const STOP_SIGNALS = ['SIGINT', 'SIGTERM'] as const;

export type EndSignal = (typeof END_SIGNALS)[number];

/**
 * Calls `asked` at the first signal that asks to end. The next one ends the process at once.
 * Returns a function that stops listening.
 */
export function onceAskedToEnd(asked: (signal: EndSignal) => void): () => void {
  return once(END_SIGNALS, asked);
}

/** Does as `onceAskedToEnd()` does, for a server: SIGHUP asks it to read its files again. */
export function onceAskedToStop(asked: (signal: EndSignal) => void): () => void {
  return once(STOP_SIGNALS, asked);
}

function once(signals: readonly EndSignal[], asked: (signal: EndSignal) => void): () => void {
  let count = 0;
  const listener = (signal: NodeJS.Signals): void => {
    if (count++ > 0) process.exit(exitCodeOf(signal));
    asked(signal as EndSignal);
  };
  for (const signal of signals) process.on(signal, listener);
  return () => {
    for (const signal of signals) process.off(signal, listener);
  };
}

/**
 * Returns the exit code that a shell reports when a signal ended a process: 128 plus its number.
 */
export function exitCodeOf(signal: NodeJS.Signals): number {
  return 128 + constants.signals[signal];
}
