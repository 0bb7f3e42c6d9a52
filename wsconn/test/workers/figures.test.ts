/** /metrics of `serve --workers`: the sums over all workers. */
import { once } from 'node:events';

import { expect, test } from 'vitest';

import { describeWithPrometheus, scrape } from '../../../test/support/observers/scrape.ts';
import { echo, target } from '../../../test/support/peers/target.ts';
import { readExactly } from '../../../test/support/reading.ts';
import { ADMIN, adminOf } from '../admin/start-admin.ts';
import { dial } from '../../../test/support/peers/dial.ts';
import { serveWithWorkers } from './start-workers.ts';

describeWithPrometheus('/metrics of wsconn serve --workers 2', () => {
  test('adds up counters, gauges and histograms, and never shrinks when a worker dies', async () => {
    const { program, url, pids } = await serveWithWorkers(await target(echo), [
      ...ADMIN,
      '--keepalive',
      '0.05',
    ]);
    const at = await adminOf(program);
    const both = [dial(url), dial(url)];
    for (const adapter of both) {
      adapter.write('x'.repeat(1000));
      await readExactly(adapter, 1000);
      for (let pings = 0; pings < 2; pings++) await once(adapter.ws, 'ping');
    }
    const labels = { kind: 'connection', target: '(unnamed)' };
    const first = await scrape(at);
    expect(first.value('wsconn_open_connections', labels)).toBe(2);
    expect(first.value('wsconn_connections_total', labels)).toBe(2);
    expect(first.value('wsconn_received_bytes_total', labels)).toBe(2000);
    const trips = first.value('wsconn_round_trip_seconds_count') ?? 0;
    expect(trips).toBeGreaterThanOrEqual(2);
    expect(first.value('wsconn_round_trip_seconds_bucket', { le: '+Inf' })).toBe(trips);
    expect(
      first.value('wsconn_build_info', { version: '0.1.0', node: process.versions.node }),
    ).toBe(1);
    const up = (worker: string, figures: typeof first) =>
      figures.value('wsconn_worker_up', { worker });
    expect([up('1', first), up('2', first)]).toEqual([1, 1]);

    process.kill(pids[0], 'SIGKILL');
    await program.prints(/worker 1 is there again/);
    const second = await scrape(at);
    expect(second.value('wsconn_open_connections', labels)).toBe(1);
    expect(second.value('wsconn_connections_total', labels)).toBe(2);
    expect(second.value('wsconn_received_bytes_total', labels)).toBe(2000);
    expect(second.value('wsconn_round_trip_seconds_count')).toBeGreaterThanOrEqual(trips);
    expect(second.value('wsconn_worker_exits_total', { worker: '1' })).toBe(1);
    expect(second.value('wsconn_worker_exits_total', { worker: '2' })).toBe(0);
    expect([up('1', second), up('2', second)]).toEqual([1, 1]);
  });
});
