/** A short part of `npm run stress`: the same histories each time. */
import { expect, test } from 'vitest';

import { runModel } from './model.ts';

const HISTORIES = 600;

test(
  'random histories over every kind of connection break no promise',
  { timeout: 60_000 },
  async () => {
    const { counts } = await runModel({
      seed: 20_261_126,
      seconds: 50,
      histories: HISTORIES,
      onProgress: () => undefined,
    });
    expect(counts['histories']).toBeGreaterThanOrEqual(HISTORIES);
  },
);
