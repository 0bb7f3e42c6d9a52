import { type Duplex, duplexPair } from 'node:stream';

import { expect, test } from 'vitest';

import { join } from '../src/index.ts';

test('join() leaves it to the caller how the other stream ends, and rejects with the first error', async () => {
  const [a] = duplexPair();
  const [b] = duplexPair();
  const failure = new Error('a has failed');
  const cut: { stream: Duplex; error: Error }[] = [];
  const joined = join(a, b, {
    cut: (stream, error) => {
      cut.push({ stream, error });
      stream.destroy();
    },
  });
  a.destroy(failure);
  await expect(joined).rejects.toBe(failure);
  expect(cut).toEqual([{ stream: b, error: failure }]);
});
