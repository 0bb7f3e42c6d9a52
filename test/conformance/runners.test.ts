import { spawn } from 'node:child_process';
import path from 'node:path';

import { expect, test } from 'vitest';

const ROOT = path.join(import.meta.dirname, '../..');
const MOCHA = path.join(ROOT, 'node_modules/mocha/bin/mocha.js');

interface Run {
  readonly code: number | null;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly output: string;
}

/** Runs Node in the folder of the programs; the numbers are found in what it prints. */
async function run(
  subject: string,
  args: readonly string[],
  numbers: readonly RegExp[],
): Promise<Run> {
  const { NODE_OPTIONS: _, ...env } = process.env;
  const child = spawn(process.execPath, ['--import', 'tsx', ...args], {
    cwd: path.join(import.meta.dirname, 'programs'),
    env: { ...env, SUBJECT: subject },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (part: string) => (output += part));
  }
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  const [passed = NaN, failed = NaN, skipped = NaN] = numbers.map((number) =>
    Number(number.exec(output)?.[1]),
  );
  return { code, passed, failed, skipped, output };
}

const runners = {
  'node:test': (subject: string) =>
    run(
      subject,
      ['--test', '--test-reporter=tap', 'node-test.ts'],
      [/^# pass (\d+)$/m, /^# fail (\d+)$/m, /^# skipped (\d+)$/m],
    ),
  mocha: (subject: string) =>
    run(
      subject,
      [MOCHA, '--reporter=json', 'mocha.ts'],
      [/"passes": (\d+)/, /"failures": (\d+)/, /"pending": (\d+)/],
    ),
};

test.each(Object.entries(runners))(
  'net.Socket and the adapter pass under %s',
  { timeout: 120_000 },
  async (_name, runWith) => {
    const { code, passed, failed, skipped, output } = await runWith('sockets');
    expect({ code, failed }, output).toEqual({ code: 0, failed: 0 });
    expect(passed).toBeGreaterThan(500);
    expect(skipped).toBeGreaterThan(10);
    expect(output).toContain('(skipped: cuts is not claimed)');
  },
);

test.each(Object.entries(runners))(
  'what hangs fails under %s, and says what it waited for',
  { timeout: 120_000 },
  async (_name, runWith) => {
    const { code, failed, skipped, output } = await runWith('deaf');
    expect(code).toBeGreaterThan(0);
    expect(failed).toBeGreaterThan(50);
    expect(skipped).toBeGreaterThan(50);
    expect(output).toContain("after 30 ms it still waits for 'end' of b (0 bytes came)");
    expect(output).toContain('(skipped: halfClose is not claimed)');
  },
);
