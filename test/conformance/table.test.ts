import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';

import { expect, test } from 'vitest';

import { columns } from './subjects.ts';

const ROOT = path.join(import.meta.dirname, '../..');

/** Runs a program, and resolves with what it says is wrong, whatever its exit code. */
function complaints(args: readonly string[]): Promise<string> {
  const { NODE_OPTIONS: _, ...env } = process.env;
  return new Promise((resolve) => {
    execFile(process.execPath, args, { cwd: ROOT, env }, (error, _stdout, stderr) => {
      resolve(stderr === '' && error ? error.message : stderr);
    });
  });
}

const page = readFileSync(path.join(ROOT, 'docs/conformance.md'), 'utf8');
const [, written] = /^Written with Node (\d+)\.$/m.exec(page) ?? [];

test('docs/conformance.md says with which version of Node it was written', () => {
  expect(written).toBeDefined();
});

// What streams of Node itself keep is another matter in each version.
test.skipIf(process.versions.node.split('.')[0] !== written)(
  'the tables of docs/conformance.md are what the suite says',
  { timeout: 120_000 },
  async () => {
    const script = path.join(ROOT, 'scripts/conformance-docs.ts');
    // All at once: most of the time is spent waiting.
    const differences = await Promise.all(
      columns.map(async ({ head }) => {
        const args = ['--import', 'tsx', '--no-warnings', script, '--check', head];
        return [head, await complaints(args)];
      }),
    );
    expect(differences).toEqual(columns.map(({ head }) => [head, '']));
  },
);
