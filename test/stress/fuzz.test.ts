import { expect, test } from 'vitest';

import { load } from './fuzz/corpus.ts';
import { runFuzz } from './fuzz/fuzz.ts';
import { TargetRun, watchUnhandled } from './fuzz/run-target.ts';
import { targets } from './fuzz/targets.ts';

const SEED = 20_260_101;

test.each(targets)('$name keeps its promises for every input that is kept', async (target) => {
  const kept = load(target.name);
  const run = new TargetRun(target, SEED);
  await watchUnhandled(() => run.runKept(kept));
  expect(kept.length).toBeGreaterThan(0);
  expect(run.count).toBe(kept.length);
});

test('arbitrary bytes break no promise, and the summary counts them', async () => {
  const options = { seed: SEED, seconds: 30, rows: 1, onProgress: () => undefined };
  const { counts, notes } = await runFuzz({ ...options, keep: false });
  expect(counts['inputs']).toBeGreaterThan(250 * targets.length);
  expect(notes).toHaveLength(targets.length);
});
