/**
 * Measures, and writes bench/results.json, the picture, and the tables of docs/benchmarks.md:
 *
 *   npm run bench -- [--only NAME[,NAME]] [--quick] [--out FOLDER]
 *
 * With `--out` everything goes into that folder, and what is in the project stays.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';

import { cases } from './cases/all.ts';
import { BUNDLES } from './parts/bundle.ts';
import { type BenchCase, LeftOut } from './parts/case.ts';
import { stopSides } from './parts/side.ts';
import { type CaseResult, caseResult, merge, readResults } from './report/results.ts';
import { caseTable } from './report/table.ts';

const RESULTS = 'results.json';

function fail(message: string): never {
  console.error(message);
  process.exit(2);
}

function options(): { only: string[] | null; quick: boolean; out: string } {
  try {
    const { values } = parseArgs({
      options: {
        only: { type: 'string', multiple: true },
        quick: { type: 'boolean', default: false },
        out: { type: 'string', default: import.meta.dirname },
      },
    });
    return { ...values, only: values.only?.flatMap((names) => names.split(',')) ?? null };
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error));
  }
}

function chosen(names: readonly string[] | null): readonly BenchCase[] {
  const unknown = names?.find((name) => !cases.some((one) => one.name === name));
  if (unknown !== undefined) {
    fail(`There is no case "${unknown}". Cases: ${cases.map(({ name }) => name).join(', ')}`);
  }
  return cases.filter(({ name }) => names?.includes(name) ?? true);
}

const { only, quick, out } = options();
const run = quick ? { quick, rounds: 3, warmUps: 1 } : { quick, rounds: 15, warmUps: 6 };
const now: Record<string, CaseResult> = {};
for (const one of chosen(only)) {
  try {
    const result = caseResult(one, await one.run(run), run);
    now[one.name] = result;
    console.log(caseTable(result));
  } catch (error) {
    if (!(error instanceof LeftOut)) throw error;
    console.log(`\n${one.title}: ${error.message}`);
  } finally {
    await stopSides();
  }
}
rmSync(BUNDLES, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
const file = path.join(out, RESULTS);
const results = merge(
  readResults(file),
  now,
  cases.map(({ name }) => name),
);
writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`);
process.exit();
