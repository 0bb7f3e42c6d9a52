import {
  AggregatorRegistry,
  Counter,
  Gauge,
  type MetricObjectWithValues,
  type MetricValue,
  Registry,
} from 'prom-client';

import type { Metrics, Workers } from './workers.ts';

type Metric = MetricObjectWithValues<MetricValue<string>>;

/** Kinds of figures that only grow: what a worker has counted still counts when it is gone. */
const LASTING = ['counter', 'histogram'];

/**
 * Adds up the figures of all workers and of the primary process. What was shown of a worker that
 * is gone stays in the sums, so that none ever shrinks; what it counted after that is lost with it.
 */
export class SummedFigures {
  readonly contentType = Registry.PROMETHEUS_CONTENT_TYPE;
  readonly #workers: Workers;
  readonly #own: Registry;
  readonly #restarts: Counter<'worker'>;
  /** What was shown last of each worker. */
  readonly #last = new Map<number, Metrics>();
  /** What was shown last of those that are gone. */
  #past: Metrics = [];

  /** @param own - the figures of the primary process */
  constructor(workers: Workers, own: Registry) {
    this.#workers = workers;
    this.#own = own;
    const labelNames = ['worker'] as const;
    this.#restarts = new Counter({
      name: 'wsconn_worker_exits_total',
      help: 'Workers that have died, and were started again.',
      labelNames,
      registers: [own],
    });
    new Gauge({
      name: 'wsconn_worker_up',
      help: 'Whether a worker takes connections: 1 or 0.',
      labelNames,
      registers: [own],
      collect() {
        for (const worker of workers.numbers) this.set({ worker }, Number(workers.isReady(worker)));
      },
    });
    for (const worker of workers.numbers) this.#restarts.inc({ worker }, 0);
    workers.onGone = (worker) => {
      this.#restarts.inc({ worker });
      const last = (this.#last.get(worker) ?? []) as readonly Metric[];
      this.#last.delete(worker);
      const lasting = last.filter(({ type }) => LASTING.includes(String(type)));
      this.#past = sum([this.#past, lasting]).getMetricsAsArray();
    };
    workers.onFigures = (worker, metrics) => {
      this.#last.set(worker, metrics);
    };
  }

  /** Returns the sums, as Prometheus reads them. */
  async metrics(): Promise<string> {
    await this.#workers.askFigures();
    const own = await this.#own.getMetricsAsJSON();
    return sum([own, this.#past, ...this.#last.values()]).metrics();
  }
}

function sum(all: readonly Metrics[]): Registry {
  return AggregatorRegistry.aggregate(all as object[][]);
}
