import type { Aim, Sample } from './case.ts';

/** The middle of some figures, and how far they lie apart. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** Returns the middle one of some figures, which one outlier does not move; NaN of none. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** Returns the figure below which that share of all lies; NaN of none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}

/** Returns the median with the lowest and the highest. */
export function spread(values: readonly number[]): Spread {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) };
}

/**
 * Compares two contestants within each round, since the noise of a machine hits one round alike.
 * Returns the spread of what `compare` makes of the pairs; rounds that only one has do not count.
 */
export function withinRounds(
  own: readonly number[],
  other: readonly number[],
  compare: (own: number, other: number) => number,
): Spread {
  const rounds = Math.min(own.length, other.length);
  return spread(own.slice(0, rounds).map((one, round) => compare(one, other[round] ?? NaN)));
}

export function ratio(own: Sample, other: Sample): Spread {
  return withinRounds(own.values, other.values, (a, b) => a / b);
}

/** How an aim was met. */
export interface Verdict {
  readonly aim: Aim;
  readonly reached: Spread;
  readonly met: boolean;
}

/** Judges by the median of all rounds. Returns null where one of the two was not measured. */
export function judge(aim: Aim, samples: readonly Sample[]): Verdict | null {
  const of = (contestant: string): Sample | undefined =>
    samples.find((one) => one.metric === aim.metric && one.contestant === contestant);
  const [own, other] = [of(aim.contestant), of(aim.against)];
  if (!own || !other) return null;
  const reached =
    aim.of === 'difference'
      ? withinRounds(own.values, other.values, (a, b) => a - b)
      : ratio(own, other);
  const { atLeast = -Infinity, atMost = Infinity } = aim;
  return { aim, reached, met: reached.median >= atLeast && reached.median <= atMost };
}
