import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';

import { version } from '../console/version.ts';

/**
 * Makes a registry with the figures of the process: its memory, processor time, open files, the
 * delays of its event loop, and which version it is.
 */
export function makeRegistry(): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const info = new Gauge({
    name: 'wsconn_build_info',
    help: 'Which version runs, on which Node; always 1.',
    labelNames: ['version', 'node'],
    aggregator: 'first',
    registers: [registry],
  });
  info.set({ version: version(), node: process.versions.node }, 1);
  return registry;
}
