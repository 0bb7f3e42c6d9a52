import type { Sample } from '../parts/case.ts';

/** What is measured, with its unit and which way is better. */
export const METRICS = {
  up: ['MB/s', 'more'],
  down: ['MB/s', 'more'],
  'up in writes of 64 bytes': ['MB/s', 'more'],
  '50 uploads at once': ['MB/s', 'more'],
  'round trip, median': ['µs', 'less'],
  'round trip, 99th percentile': ['µs', 'less'],
  connections: ['1/s', 'more'],
  'CPU time': ['s', 'less'],
  'peak memory': ['MiB', 'less'],
  'slow link, upload': ['kB/s', 'more'],
  'slow link, round trip beside an upload': ['ms', 'less'],
} as const satisfies Record<string, readonly [string, Sample['better']]>;

export type Metric = keyof typeof METRICS;

/** Collects the figures of all rounds. */
export class Figures {
  readonly #samples = new Map<string, Sample & { readonly values: number[] }>();

  add(contestant: string, metric: Metric, value: number): void {
    const key = `${metric}/${contestant}`;
    const [unit, better] = METRICS[metric];
    const sample = this.#samples.get(key) ?? { contestant, metric, unit, better, values: [] };
    sample.values.push(value);
    this.#samples.set(key, sample);
  }

  get samples(): readonly Sample[] {
    return [...this.#samples.values()];
  }
}
