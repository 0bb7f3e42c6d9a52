import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

import { afterEach, beforeEach, expect, test } from 'vitest';

import type { Results } from '../../bench/report/results.ts';
import { type Folder, makeFolder } from '../support/folder.ts';
import { startProgram } from '../support/programs/program.ts';

let folder: Folder;
beforeEach(async () => {
  folder = await makeFolder();
});
afterEach(() => folder.remove());

function bench(...args: string[]): ReturnType<typeof startProgram>['ended'] {
  const all = ['--import', 'tsx', 'bench/main.ts', '--out', folder.path, ...args];
  const running = startProgram(process.execPath, all);
  running.child.stdout.resume();
  return running.ended;
}

test('a quick run of one case writes its results, tables and picture', async () => {
  expect(await bench('--quick', '--only', 'open-close')).toEqual({ code: 0, errors: '' });
  const read = (name: string): string => readFileSync(path.join(folder.path, name), 'utf8');
  const { cases } = JSON.parse(read('results.json')) as Results;
  expect(Object.keys(cases)).toEqual(['open-close']);
  const { machine, quick, samples } = cases['open-close'] ?? {};
  expect(quick).toBe(true);
  expect(machine).toMatchObject({
    node: process.versions.node,
    cores: expect.any(Number) as number,
  });
  expect(samples?.map(({ metric, contestant }) => [metric, contestant])).toEqual(
    ['connections', 'CPU'].flatMap((metric) =>
      ['ws-conn-adapter', 'raw ws', 'createWebSocketStream', 'net.Socket'].map((one) => [
        metric,
        one,
      ]),
    ),
  );
  for (const { rounds, min, median, max, ours, contestant } of samples ?? []) {
    expect(rounds).toBe(3);
    expect(min).toBeGreaterThan(0);
    expect(median).toBeGreaterThanOrEqual(min);
    expect(max).toBeGreaterThanOrEqual(median);
    expect(ours === null).toBe(contestant === 'ws-conn-adapter');
  }
  expect(read('benchmarks.md')).toContain('| connections | 1/s, ↑ |');
  expect(read('benchmarks.svg')).toContain('</svg>');
});

test.for([
  [['--only', 'bulk,nothing'], /There is no case "nothing"\. There are: bulk, /],
  [['--profile', 'nothing'], /There is no profile "nothing"\. There are: bulk, /],
  [['--fast'], /--fast/],
] as const)('%j is refused, with the names that there are', async ([args, message]) => {
  const { code, errors } = await bench(...args);
  expect(errors).toMatch(message);
  expect(code).toBe(2);
  expect(existsSync(path.join(folder.path, 'results.json'))).toBe(false);
});
