import { readFileSync } from 'node:fs';
import path from 'node:path';

import { expect, test } from 'vitest';

import { cases } from '../../bench/cases/all.ts';
import type { Sample } from '../../bench/parts/case.ts';
import { withTables } from '../../bench/report/docs.ts';
import { picture } from '../../bench/report/picture.ts';
import { caseResult, merge, type Results } from '../../bench/report/results.ts';

const ROOT = path.join(import.meta.dirname, '../..');
const RUN = { quick: false, rounds: 2, warmUps: 0 };

function sample(contestant: string, better: Sample['better'], values: number[]): Sample {
  return { contestant, metric: better, unit: 'x', better, values };
}

function read(file: string): string {
  return readFileSync(path.join(ROOT, file), 'utf8');
}

const result = caseResult(
  {
    title: 'A case <of two>',
    aims: [
      { metric: 'more', contestant: 'ours', against: 'theirs', atLeast: 2 },
      { metric: 'more', contestant: 'ours', against: 'nobody', atLeast: 2 },
    ],
  },
  [
    sample('ours', 'more', [10, 20]),
    sample('theirs', 'more', [5, 10]),
    sample('ours', 'less', [1, 1]),
    sample('theirs', 'less', [4, 4]),
  ],
  RUN,
);

test('the first contestant of a metric is ours, and the others are compared with it', () => {
  expect(result.samples.map(({ contestant, ours }) => [contestant, ours?.median])).toEqual([
    ['ours', undefined],
    ['theirs', 2],
    ['ours', undefined],
    ['theirs', 0.25],
  ]);
  expect(result.aims).toMatchObject([{ against: 'theirs', met: true, reached: { median: 2 } }]);
});

test('cases that were not run keep their earlier results, in the order of all cases', () => {
  const earlier: Results = { cases: { b: result, gone: result }, profiles: {} };
  const merged = merge(earlier, { cases: { a: result }, profiles: {} }, ['a', 'b']);
  expect(Object.keys(merged.cases)).toEqual(['a', 'b']);
});

test('the picture has a title for each case, and no text that would be read as a tag', () => {
  const svg = picture({ cases: { one: result }, profiles: {} });
  expect(svg).toContain('A case &lt;of two>');
  expect(svg).toContain('theirs');
});

test('a page without its marks is not written', () => {
  expect(() => withTables('# Benchmarks\n', { cases: {}, profiles: {} })).toThrow(
    'needs the lines',
  );
});

const results = JSON.parse(read('bench/results.json')) as Results;

test('bench/results.json has known cases only', () => {
  const names = cases.map(({ name }) => name);
  expect(Object.keys(results.cases).filter((name) => !names.includes(name))).toEqual([]);
});

test('the tables of docs/benchmarks.md are those of bench/results.json (npm run bench -- --report)', () => {
  const page = read('docs/benchmarks.md');
  expect(page).toBe(withTables(page, results));
});

test('docs/benchmarks.svg is that of bench/results.json (npm run bench -- --report)', () => {
  expect(read('docs/benchmarks.svg') === picture(results)).toBe(true);
});

test('the names of many contestants take as many lines as they need', () => {
  const names = Array.from({ length: 12 }, (_, i) => `another contestant, number ${String(i)}`);
  const many = caseResult(
    { title: 'Many', aims: [] },
    [sample('ours', 'more', [1]), ...names.map((name) => sample(name, 'more', [1]))],
    RUN,
  );
  const svg = picture({ cases: { many }, profiles: {} });
  const lines = [...svg.matchAll(/<text [^>]*xml:space="preserve">(.*)<\/text>/g)].map(
    ([, line = '']) => line.replace(/<[^>]*>/g, ''),
  );
  expect(lines.length).toBeGreaterThan(1);
  // At 7 units a letter, of 860.
  for (const line of lines) expect(line.length).toBeLessThan(120);
  for (const name of names) expect(lines.join('\n')).toContain(name);
});
