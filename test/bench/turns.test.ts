import { expect, test } from 'vitest';

import { inTurns } from '../../bench/parts/turns.ts';

const contestants = [{ name: 'a' }, { name: 'b' }];

test('contestants take turns there and back, and warm-ups do not count', async () => {
  const order: string[] = [];
  const samples = await inTurns(contestants, { rounds: 2, warmUps: 1 }, ({ name }) => {
    order.push(name);
    return Promise.resolve([
      { metric: 'm', unit: 's', better: 'less' as const, value: order.length },
    ]);
  });
  expect(order).toEqual(['b', 'a', 'a', 'b', 'b', 'a']);
  expect(samples).toEqual([
    { contestant: 'a', metric: 'm', unit: 's', better: 'less', values: [3, 6] },
    { contestant: 'b', metric: 'm', unit: 's', better: 'less', values: [4, 5] },
  ]);
});

test('one measurement may have many figures, and a contestant may miss some', async () => {
  const samples = await inTurns(contestants, { rounds: 1, warmUps: 0 }, ({ name }) =>
    Promise.resolve(
      (name === 'a' ? ['m', 'n'] : ['n']).map((metric) => ({
        metric,
        unit: 's',
        better: 'less' as const,
        value: 1,
      })),
    ),
  );
  expect(samples.map(({ metric, contestant }) => metric + contestant)).toEqual(['ma', 'na', 'nb']);
});
