import type { Contestant } from './contestants.ts';
import type { Figures } from './figures.ts';
import type { Load } from './load.ts';
import { startTunnel } from './tunnel.ts';

const MB = 1_000_000;

/** How much each is given to carry. */
export interface Amounts {
  readonly bulk: number;
  readonly trips: number;
  readonly connections: number;
}

export const FULL: Amounts = { bulk: 512 * MB, trips: 4_000, connections: 1_200 };
export const QUICK: Amounts = { bulk: 64 * MB, trips: 800, connections: 60 };

/** Connections that are opened at a time. */
const AT_ONCE = 8;
const UPLOADS = 50;

/** Measures one contestant in new processes, so that each round has its own memory and CPU time. */
export async function measureOnLoopback(
  contestant: Contestant,
  load: Load,
  whole: Amounts,
  figures: Figures,
): Promise<void> {
  const { name, slowness = 1 } = contestant;
  const tunnel = await startTunnel(contestant, load.target);
  const ask = (what: string, ...rest: readonly number[]): Promise<readonly number[]> =>
    load.ask(`${what} ${[tunnel.port, ...rest.map(Math.ceil)].join(' ')}`);
  const bulk = whole.bulk / slowness;
  const connections = whole.connections / slowness;
  try {
    // Node compiles what runs often, and tunnels run for days.
    await ask('up', bulk / 2, 65_536);
    await ask('down', bulk / 2);
    await ask('trips', whole.trips / 2);
    await ask('conns', connections / 2, AT_ONCE);
    const before = tunnel.cpuSeconds();
    const [up = NaN] = await ask('up', bulk, 65_536);
    const [down = NaN] = await ask('down', bulk);
    const [tiny = NaN] = await ask('up', bulk / 16, 64);
    const [median = NaN, late = NaN] = await ask('trips', whole.trips);
    const [perSecond = NaN] = await ask('conns', connections, AT_ONCE);
    const [many = NaN] = await ask('many', UPLOADS, bulk / UPLOADS);
    figures.add(name, 'up', up);
    figures.add(name, 'down', down);
    figures.add(name, 'up in writes of 64 bytes', tiny);
    figures.add(name, '50 uploads at once', many);
    figures.add(name, 'round trip, median', median);
    figures.add(name, 'round trip, 99th percentile', late);
    figures.add(name, 'connections', perSecond);
    figures.add(name, 'peak memory', tunnel.peakMiB());
    // Of those that are given less to do it would say nothing.
    if (slowness === 1) figures.add(name, 'CPU time', tunnel.cpuSeconds() - before);
  } finally {
    await tunnel.stop();
  }
}
