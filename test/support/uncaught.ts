import type { EventEmitter } from 'node:events';

import { onTestFinished } from 'vitest';

/**
 * Allows a test to throw from an event handler. Returns the uncaught exceptions, in order, until
 * the test is over.
 */
export function collectUncaught(): unknown[] {
  const uncaught: unknown[] = [];
  const collect = (error: unknown): void => {
    uncaught.push(error);
  };
  const emitter: EventEmitter = process;
  // Whoever else listens, the monitor of the leak check among them, would count the error as a
  // fault of the test.
  const others = ['uncaughtException', 'uncaughtExceptionMonitor'].map((name) => {
    const listeners = emitter.listeners(name) as ((...args: unknown[]) => void)[];
    emitter.removeAllListeners(name);
    return { name, listeners };
  });
  emitter.on('uncaughtException', collect);
  onTestFinished(() => {
    emitter.off('uncaughtException', collect);
    for (const { name, listeners } of others)
      for (const listener of listeners) emitter.on(name, listener);
  });
  return uncaught;
}
