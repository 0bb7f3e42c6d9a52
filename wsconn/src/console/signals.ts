import { constants } from 'node:os';

/**
 * Signals that ask to end: Ctrl-C, a service manager, and a terminal that closes (or OpenSSH, done
 * with its ProxyCommand).
 */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export type EndSignal = (typeof SIGNALS)[number];

/**
 * Calls `asked` at the first signal that asks to end. The next one ends the process at once.
 * Returns a function that stops listening.
 */
export function onceAskedToEnd(asked: (signal: EndSignal) => void): () => void {
  const listener = (signal: NodeJS.Signals): void => {
    stop();
    asked(signal as EndSignal);
  };
  const stop = (): void => {
    for (const signal of SIGNALS) process.off(signal, listener);
  };
  for (const signal of SIGNALS) process.on(signal, listener);
  return stop;
}

/**
 * Returns the exit code that a shell reports when a signal ended a process: 128 plus its number.
 */
export function exitCodeOf(signal: NodeJS.Signals): number {
  return 128 + constants.signals[signal];
}
