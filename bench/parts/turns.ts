import type { RunOptions, Sample } from './case.ts';

/** One figure of one round. */
export type Reading = Pick<Sample, 'metric' | 'unit' | 'better'> & { readonly value: number };

/** What is measured in turns. */
interface Named {
  readonly name: string;
}

/**
 * Measures all in turns, so that the noise of the machine hits all alike. What to quote are ratios,
 * each within its round.
 */
export async function inTurns<T extends Named>(
  all: readonly T[],
  { rounds, warmUps }: Pick<RunOptions, 'rounds' | 'warmUps'>,
  measure: (one: T) => Promise<readonly Reading[]>,
): Promise<Sample[]> {
  const samples = new Samples(all.map(({ name }) => name));
  for (let round = -warmUps; round < rounds; round++) {
    // There and back, so that nobody always follows the same one.
    for (const one of round % 2 === 0 ? all : all.toReversed()) {
      const readings = await measure(one);
      if (round >= 0) samples.add(one.name, readings);
    }
  }
  return samples.inOrder();
}

/** Collects readings to samples, by metric and contestant. */
class Samples {
  readonly #contestants: readonly string[];
  readonly #byMetric = new Map<string, Map<string, Sample & { readonly values: number[] }>>();

  constructor(contestants: readonly string[]) {
    this.#contestants = contestants;
  }

  add(contestant: string, readings: readonly Reading[]): void {
    for (const { metric, unit, better, value } of readings) {
      const ofMetric = this.#byMetric.get(metric) ?? new Map<string, never>();
      this.#byMetric.set(metric, ofMetric);
      const sample = ofMetric.get(contestant) ?? { contestant, metric, unit, better, values: [] };
      ofMetric.set(contestant, sample);
      sample.values.push(value);
    }
  }

  /** By metric as they came, and contestants as they were given. */
  inOrder(): Sample[] {
    return [...this.#byMetric.values()].flatMap((ofMetric) =>
      this.#contestants.flatMap((name) => ofMetric.get(name) ?? []),
    );
  }
}
