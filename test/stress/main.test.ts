/** The command `npm run stress` as somebody runs it. */
import { expect, test } from 'vitest';

import { run } from '../support/programs/watched-program.ts';

const stress = (...args: string[]) =>
  run(process.execPath, ['--import', 'tsx', 'test/stress/main.ts', ...args]);

test('prints its seed first, then what each part did', { timeout: 60_000 }, async () => {
  const { code, stdout, stderr } = await stress('--only', 'model', '--seconds', '2', '--seed', '5');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(/^Node v\S+, seed 5, 2 s\n✓ model +[\d,]+ histories \(\d+ s\)\n$/);
});

test.each([
  [['--only', 'modle'], /^stress: there is no part modle; there are model/],
  [['--seed', 'x'], /^stress: --seed must be a whole number/],
  [['--seconds', '0'], /^stress: --seconds must be a whole number/],
  [['--sed', '1'], /^stress: Unknown option '--sed'/],
])('says in one line what is wrong with %j, with exit code 2', async (args, line) => {
  const { code, stdout, stderr } = await stress(...args);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toMatch(line);
  expect(stderr.trimEnd().split('\n')).toHaveLength(1);
});
