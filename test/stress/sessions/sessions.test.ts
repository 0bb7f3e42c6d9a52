/** A short part of `npm run stress`: the same histories each time. */
import { expect, test } from 'vitest';

import { History } from './history.ts';
import { runSessions } from './sessions.ts';

const HISTORIES = 1_500;

test('random histories of two sessions over lines that are cut break no promise', async () => {
  const { counts } = await runSessions({
    seed: 1_000_000,
    seconds: 60,
    histories: HISTORIES,
    onProgress: () => undefined,
  });
  expect(counts['histories']).toBe(HISTORIES);
});

test('an acknowledgement that runs ahead of what a line still has to bring does no harm', () => {
  // The line before has brought the server more than it had when the next one was accepted.
  const tally = { histories: 0, steps: 0, lines: 0, cuts: 0, bytes: 0 };
  new History(1_006_697, tally).run();
  expect(tally.lines).toBeGreaterThan(1);
});
