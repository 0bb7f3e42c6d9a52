/**
 * Measures, and writes bench/results.json, the picture, and the tables of docs/benchmarks.md:
 *
 *   npm run bench -- [--only NAME[,NAME]] [--quick] [--profile NAME] [--report] [--out FOLDER]
 *
 * `--profile` finds where the time goes, `--report` writes picture and tables anew; neither
 * measures. With `--out` all goes into that folder, and what is in the project stays.
 */
import path from 'node:path';
import { parseArgs } from 'node:util';

import { cases } from './cases/all.ts';
import { LeftOut, type RunOptions } from './parts/case.ts';
import { stopSides } from './parts/side.ts';
import { profile, profiled } from './profile.ts';
import { type CaseResult, caseResult, type Profile } from './report/results.ts';
import { caseTable } from './report/table.ts';
import { save } from './report/save.ts';

function fail(message: string): never {
  console.error(message);
  process.exit(2);
}

interface Options {
  readonly only: readonly string[] | null;
  readonly profile: readonly string[] | null;
  readonly quick: boolean;
  readonly report: boolean;
  readonly out: string | null;
}

function options(): Options {
  try {
    const { values } = parseArgs({
      options: {
        only: { type: 'string', multiple: true },
        profile: { type: 'string', multiple: true },
        quick: { type: 'boolean', default: false },
        report: { type: 'boolean', default: false },
        out: { type: 'string' },
      },
    });
    const names = (value: string[] | undefined): string[] | null =>
      value?.flatMap((one) => one.split(',')) ?? null;
    return {
      ...values,
      only: names(values.only),
      profile: names(values.profile),
      out: values.out ?? null,
    };
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error));
  }
}

function check(what: string, names: readonly string[], known: readonly string[]): void {
  const unknown = names.find((name) => !known.includes(name));
  if (unknown === undefined) return;
  fail(`There is no ${what} "${unknown}". There are: ${known.join(', ')}`);
}

async function measure(
  names: readonly string[],
  run: RunOptions,
): Promise<Record<string, CaseResult>> {
  const results: Record<string, CaseResult> = {};
  for (const one of cases.filter(({ name }) => names.includes(name))) {
    try {
      const result = caseResult(one, await one.run(run), run);
      results[one.name] = result;
      console.log(caseTable(result));
    } catch (error) {
      if (!(error instanceof LeftOut)) throw error;
      console.log(`\n${one.title}: ${error.message}`);
    } finally {
      await stopSides();
    }
  }
  return results;
}

async function profiles(names: readonly string[]): Promise<Record<string, Profile>> {
  const results: Record<string, Profile> = {};
  for (const name of names) {
    const result = await profile(name);
    if (!result) continue;
    results[name] = result;
    console.log(`\nWhere the time goes, percent: ${result.title}`);
    console.table(result.rows);
  }
  return results;
}

const { only, profile: toProfile, quick, report, out } = options();
const all = cases.map(({ name }) => name);
check('case', only ?? [], all);
check('profile', toProfile ?? [], Object.keys(profiled));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1));

const whole = only === null && toProfile === null;
const toMeasure = report ? [] : (only ?? (whole ? all : []));
const run = quick ? { quick, rounds: 3, warmUps: 1 } : { quick, rounds: 15, warmUps: 6 };
const measured = await measure(toMeasure, run);
const found = await profiles(
  toProfile ?? (whole && !quick && !report ? Object.keys(profiled) : []),
);
save({ cases: measured, profiles: found }, all, out === null ? null : path.resolve(out));
process.exit();
