/**
 * Fails every test that leaves something behind: an open handle, a running timer, a listener on
 * `process`, an unhandled rejection or exception, or one of Node's warnings about leaks. It
 * compares around each test, so the tests of one file must not run at the same time (no
 * `test.concurrent`). What a file's own beforeAll() opens is there before its tests, and has to be
 * gone after its afterAll().
 */
import { afterAll, beforeAll, beforeEach, vi } from 'vitest';

import { leaksSince, takeSnapshot, watchTimers } from './leaks.ts';

/**
 * Time in ms after which what is still there counts as left behind; nobody waits for it but a test
 * that fails.
 */
const PATIENCE = 3_000;

const WARNINGS = new Set([
  'MaxListenersExceededWarning',
  'TimeoutNaNWarning',
  'TimeoutNegativeWarning',
  'TimeoutOverflowWarning',
]);

/** What went wrong beside the tests since it was last looked at. */
const mishaps: string[] = [];

const onWarning = (warning: Error): void => {
  if (WARNINGS.has(warning.name)) mishaps.push(`warning ${String(warning.stack)}`);
};
const onRejection = (reason: unknown): void => {
  mishaps.push(
    `unhandled rejection ${reason instanceof Error ? String(reason.stack) : String(reason)}`,
  );
};
const onException = (error: Error): void => {
  mishaps.push(`uncaught exception ${String(error.stack)}`);
};

process.on('warning', onWarning);
process.on('unhandledRejection', onRejection);
process.on('uncaughtExceptionMonitor', onException);
const unwatchTimers = watchTimers();
const atStart = takeSnapshot();

async function check(before: typeof atStart, where: string): Promise<void> {
  // A test that forgot its fake timers would hide the real ones.
  vi.useRealTimers();
  // Warnings and rejections are reported on later ticks.
  await new Promise((resolve) => setImmediate(resolve));
  const found = [...(await leaksSince(before, PATIENCE)), ...mishaps.splice(0)];
  if (found.length > 0) throw new Error(`left behind by ${where}:\n- ${found.join('\n- ')}`);
}

beforeAll(() => {
  mishaps.length = 0;
});

beforeEach(({ onTestFinished, task }) => {
  const before = takeSnapshot();
  // These run last first, after afterEach(), so this one comes when the test has put everything
  // away.
  onTestFinished(() => check(before, `the test '${task.name}'`));
});

afterAll(async () => {
  await check(atStart, 'this file');
  unwatchTimers();
  process.off('warning', onWarning);
  process.off('unhandledRejection', onRejection);
  process.off('uncaughtExceptionMonitor', onException);
});
