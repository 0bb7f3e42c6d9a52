import { existsSync, readFileSync } from 'node:fs';
import os from 'node:os';
import { createRequire } from 'node:module';

import type { Aim, BenchCase, RunOptions, Sample } from '../parts/case.ts';
import { judge, ratio, type Spread, spread } from '../parts/statistics.ts';
import { pins } from '../parts/side.ts';

/** What a case was measured with. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly platform: string;
  readonly node: string;
  readonly ws: string;
  /** Whether near and far ends had a core each. */
  readonly pinned: boolean;
}

/** One contestant in one respect, over all rounds. */
export interface ResultSample extends Omit<Sample, 'values'>, Spread {
  readonly rounds: number;
  /** Ours as a multiple of this one, each within its round; null for ours. */
  readonly ours: Spread | null;
}

export interface ResultAim extends Aim {
  readonly reached: Spread;
  readonly met: boolean;
}

export interface CaseResult {
  readonly title: string;
  readonly date: string;
  readonly machine: Machine;
  /** Whether it was a quick look, whose figures are not to be quoted. */
  readonly quick: boolean;
  readonly samples: readonly ResultSample[];
  readonly aims: readonly ResultAim[];
}

/** Whose code has the processor time of one end, in percent. */
export interface Share {
  readonly contestant: string;
  readonly end: 'writer' | 'reader';
  /** System calls, and what else Node does outside of JavaScript. */
  readonly native: number;
  readonly node: number;
  readonly garbage: number;
  readonly ws: number;
  readonly ours: number;
  readonly bench: number;
  /** How much of all that was in the kernel. */
  readonly kernel: number;
}

export interface Profile {
  readonly title: string;
  readonly rows: readonly Share[];
}

/** What bench/results.json has: the last run of each case and of each profile. */
export interface Results {
  readonly cases: Readonly<Record<string, CaseResult>>;
  readonly profiles: Readonly<Record<string, Profile>>;
}

export function thisMachine(): Machine {
  const require = createRequire(import.meta.url);
  const { version } = require('ws/package.json') as { version: string };
  const [first] = os.cpus();
  return {
    cpu: first?.model ?? 'unknown',
    cores: os.availableParallelism(),
    memoryGiB: Math.round(os.totalmem() / 2 ** 30),
    platform: `${os.type()} ${os.release().split('-')[0] ?? ''} ${os.arch()}`,
    node: process.versions.node,
    ws: version,
    pinned: pins,
  };
}

/** Makes of a run what is kept of it. */
export function caseResult(
  { title, aims }: Pick<BenchCase, 'title' | 'aims'>,
  samples: readonly Sample[],
  { quick }: RunOptions,
): CaseResult {
  return {
    title,
    date: new Date().toISOString().slice(0, 10),
    machine: thisMachine(),
    quick,
    samples: samples.map((sample) => resultSample(sample, samples)),
    aims: aims.flatMap((aim) => {
      const verdict = judge(aim, samples);
      return verdict ? [{ ...aim, reached: rounded(verdict.reached), met: verdict.met }] : [];
    }),
  };
}

function resultSample(sample: Sample, all: readonly Sample[]): ResultSample {
  const { contestant, metric, unit, better, values } = sample;
  const ours = all.find((one) => one.metric === metric);
  return {
    contestant,
    metric,
    unit,
    better,
    rounds: values.length,
    ...rounded(spread(values)),
    ours: ours && ours !== sample ? rounded(ratio(ours, sample)) : null,
  };
}

/** Four digits are more than what repeats. */
function rounded({ median, min, max }: Spread): Spread {
  const short = (value: number): number => Number(value.toPrecision(4));
  return { median: short(median), min: short(min), max: short(max) };
}

export function readResults(file: string): Results {
  return existsSync(file)
    ? (JSON.parse(readFileSync(file, 'utf8')) as Results)
    : { cases: {}, profiles: {} };
}

/**
 * Puts what was run in the place of its earlier results, in the order of all cases; those that are
 * unknown by now are dropped.
 */
export function merge(earlier: Results, now: Results, order: readonly string[]): Results {
  const inOrder = <T>(all: Readonly<Record<string, T>>): Record<string, T> =>
    Object.fromEntries(
      order.flatMap((name) => {
        const one = all[name];
        return one ? [[name, one]] : [];
      }),
    );
  return {
    cases: inOrder({ ...earlier.cases, ...now.cases }),
    profiles: inOrder({ ...earlier.profiles, ...now.profiles }),
  };
}
