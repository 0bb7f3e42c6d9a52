import type { Log } from '../log/log.ts';
import type { Reread } from '../options/command.ts';
import type { CommonName } from '../options/options.ts';
import { LeasedPlaces } from '../workers/leased-places.ts';
import { takeConnections } from '../workers/take-connections.ts';
import { Worker } from '../workers/worker.ts';
import type { ServeName } from './serve-options.ts';
import { makeService, type ServeValues } from './service.ts';

/**
 * Runs one of the workers of `serve --workers`: it serves the connections that the primary process
 * gives it, and ends when that says so or is gone. Returns the exit code.
 */
export async function runWorker(
  number: number,
  values: ServeValues,
  log: Log,
  reread: Reread<ServeName | CommonName> | undefined,
): Promise<number> {
  const worker = new Worker(number);
  const own = log.with({ worker: number });
  const service = await makeService(values, own, reread, {
    failures: worker,
    // What all do alike is said once.
    reloads: number === 1 ? log : log.atLeast('error'),
  });
  const { endpoint, server } = service;
  let places: LeasedPlaces | undefined;
  if (values.count('max-connections') !== undefined) {
    const leased = new LeasedPlaces(server, {
      full: () => void worker.tell({ type: 'full' }),
      gave: (count) => void worker.tell({ type: 'gave', places: count }),
    });
    server.share((run) => {
      leased.whenFree(run);
    });
    server.on('freed', () => {
      leased.freed();
    });
    worker.on('places', (more) => {
      leased.granted(more);
    });
    worker.on('recall', (further) => {
      leased.recall(further);
    });
    places = leased;
  }
  if (values.text('admin') !== undefined) {
    const { countServer } = await import('./figures.ts');
    const registry = countServer(server, service.targets);
    worker.on('figures', (id) => {
      void registry
        .getMetricsAsJSON()
        .then((metrics) => worker.tell({ type: 'figures', id, metrics }));
    });
  }
  takeConnections(endpoint, worker, places);
  worker.on('reload', () => {
    void service.reload().then(() => worker.tell({ type: 'reloaded' }));
  });
  worker.on('stopping', () => {
    service.onStopping();
  });
  const orphaned = new Promise<boolean>((resolve) => {
    worker.once('stop', () => {
      resolve(false);
    });
    worker.once('orphaned', () => {
      resolve(true);
    });
  });
  await worker.tell({ type: 'ready' });
  if (await orphaned) {
    log.error('the primary process is gone: lets open connections finish');
    await service.stop();
    return 1;
  }
  const cut = await service.stop();
  await worker.tell({ type: 'stopped', cut });
  return 0;
}
