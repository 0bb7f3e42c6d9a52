import { expect, test } from 'vitest';

import type { Sample } from '../../bench/parts/case.ts';
import { judge, median, quantile, spread, withinRounds } from '../../bench/parts/statistics.ts';

function sample(contestant: string, values: readonly number[]): Sample {
  return { contestant, metric: 'speed', unit: 'MB/s', better: 'more', values };
}

test('the median is not moved by one outlier, and there is none of nothing', () => {
  expect(median([3, 1, 1000])).toBe(3);
  expect(median([5])).toBe(5);
  expect(median([])).toBeNaN();
});

test('a quantile is a figure that was measured', () => {
  const hundred = Array.from({ length: 100 }, (_, i) => i);
  expect(quantile(hundred, 0.99)).toBe(99);
  expect(quantile([7], 0.99)).toBe(7);
});

test('a spread has the lowest and the highest beside the median', () => {
  expect(spread([2, 9, 4])).toEqual({ median: 4, min: 2, max: 9 });
});

test('what is compared are figures of one round, as long as both have one', () => {
  const divide = (a: number, b: number): number => a / b;
  // The machine was twice as fast in the second round, for both.
  expect(withinRounds([10, 20, 30], [5, 10], divide)).toEqual({ median: 2, min: 2, max: 2 });
});

test('an aim is met by the median ratio within rounds', () => {
  const samples = [sample('a', [90, 200, 50]), sample('b', [100, 200, 100])];
  const aim = { metric: 'speed', contestant: 'a', against: 'b' };
  expect(judge({ ...aim, atLeast: 0.9 }, samples)).toMatchObject({
    met: true,
    reached: { median: 0.9, min: 0.5, max: 1 },
  });
  expect(judge({ ...aim, atLeast: 0.91 }, samples)).toMatchObject({ met: false });
  expect(judge({ ...aim, atMost: 0.9 }, samples)).toMatchObject({ met: true });
  expect(judge({ ...aim, atMost: 0.89 }, samples)).toMatchObject({ met: false });
});

test('an aim may be a difference', () => {
  const samples = [sample('a', [11, 12, 13]), sample('b', [10, 10, 10])];
  const aim = { metric: 'speed', contestant: 'a', against: 'b', of: 'difference' } as const;
  expect(judge({ ...aim, atMost: 2 }, samples)).toMatchObject({
    met: true,
    reached: { median: 2 },
  });
  expect(judge({ ...aim, atMost: 1.9 }, samples)).toMatchObject({ met: false });
});

test('an aim whose contestants were not measured has no verdict', () => {
  const aim = { metric: 'speed', contestant: 'a', against: 'b', atLeast: 1 };
  expect(judge(aim, [sample('a', [1])])).toBeNull();
  expect(judge({ ...aim, metric: 'other' }, [sample('a', [1]), sample('b', [1])])).toBeNull();
});

test('figures that are no numbers meet no aim', () => {
  const aim = { metric: 'speed', contestant: 'a', against: 'b', atMost: 1 };
  expect(judge(aim, [sample('a', [NaN]), sample('b', [1])])).toMatchObject({ met: false });
});
