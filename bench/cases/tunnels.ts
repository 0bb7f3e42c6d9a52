import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { build } from 'esbuild';

import { type Aim, type BenchCase, LeftOut, type Sample } from '../parts/case.ts';
import { contestants, FORWARD, LEAST, MUX, PIPES } from '../tunnels/contestants.ts';
import { Figures, type Metric } from '../tunnels/figures.ts';
import { buildLoad, startLoad } from '../tunnels/load.ts';
import { FULL, measureOnLoopback, QUICK } from '../tunnels/loopback.ts';
import { measureOnSlowLink, withTrips } from '../tunnels/slow-link.ts';

/** The most rounds: each takes the better part of a minute. */
const MOST_ROUNDS = 5;
const SLOW_LINK_ROUNDS = 2;
/** Time in s that an upload over a slow link is measured, of which a third does not count. */
const SLOW_LINK_SECONDS = { full: 15, quick: 6 };
/** Stands beside the contestants where an aim is a figure. */
const HALF_A_SECOND = 'half a second';

function aim(
  metric: Metric,
  contestant: string,
  limit: Pick<Aim, 'atLeast' | 'atMost'>,
  against = LEAST,
): Aim {
  return { metric, contestant, against, ...limit };
}

const aims: readonly Aim[] = [
  aim('up', FORWARD, { atLeast: 1 }),
  aim('down', FORWARD, { atLeast: 1 }),
  aim('up', MUX, { atLeast: 0.95 }),
  aim('down', MUX, { atLeast: 0.95 }),
  aim('connections', FORWARD, { atLeast: 1 }),
  aim('connections', MUX, { atLeast: 0.9 }, PIPES),
  ...[FORWARD, MUX].flatMap((name) => [
    aim('round trip, 99th percentile', name, { atMost: 1.1 }),
    aim('CPU time', name, { atMost: 1.1 }),
    aim('peak memory', name, { atMost: 1 }),
  ]),
  aim('slow link, round trip beside an upload', MUX, { atMost: 1 }, HALF_A_SECOND),
  aim('slow link, upload', withTrips(MUX), { atLeast: 0.95 }, MUX),
];

/** Bundles what runs as a process of its own, so that all of them start alike. */
async function bundle(folder: string): Promise<void> {
  const end = (name: string): string =>
    fileURLToPath(new URL(`../tunnels/ends/${name}.ts`, import.meta.url));
  await build({
    entryPoints: ['net-pipes', 'http-upgrades', 'least-ws', 'slow-link'].map(end),
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    format: 'esm',
    platform: 'node',
    // As somebody who writes it has it, with what ws loads if it is installed.
    packages: 'external',
    logLevel: 'warning',
  });
}

async function measure(folder: string, quick: boolean, rounds: number): Promise<readonly Sample[]> {
  const file = buildLoad(folder);
  if (file === undefined) throw new LeftOut('Go, in which the load is written');
  const command = fileURLToPath(new URL('../../scripts/bundle-command.js', import.meta.url));
  await Promise.all([promisify(execFile)(process.execPath, [command]), bundle(folder)]);
  const all = contestants(folder, quick);
  const figures = new Figures();
  for (let round = 0; round < rounds; round++) {
    const load = await startLoad(file);
    // There and back, so that nobody always follows the same one.
    for (const one of round % 2 === 0 ? all : all.toReversed()) {
      await measureOnLoopback(one, load, quick ? QUICK : FULL, figures);
    }
    load.stop();
  }
  const seconds = quick ? SLOW_LINK_SECONDS.quick : SLOW_LINK_SECONDS.full;
  for (let round = 0; round < Math.min(rounds, SLOW_LINK_ROUNDS); round++) {
    const some = all.filter(({ name }) => name === MUX || name === LEAST);
    // Such a link leaves the machine idle.
    const measured = some.map((one) => measureOnSlowLink(one, folder, file, seconds));
    for (const { name, alone, beside, trip } of await Promise.all(measured)) {
      figures.add(name, 'slow link, upload', alone);
      figures.add(withTrips(name), 'slow link, upload', beside);
      figures.add(name, 'slow link, round trip beside an upload', trip);
    }
    figures.add(HALF_A_SECOND, 'slow link, round trip beside an upload', 500);
  }
  return figures.samples;
}

/** Measures tunnels as whole processes: what somebody who chooses one gets. */
export const tunnels: BenchCase = {
  name: 'tunnels',
  title: 'Tunnels as whole processes, over loopback',
  aims,
  async run({ quick, rounds }) {
    // Inside the project, where Node finds ws.
    const cache = fileURLToPath(new URL('../../node_modules/.cache/', import.meta.url));
    await mkdir(cache, { recursive: true });
    const folder = await mkdtemp(path.join(cache, 'bench-tunnels-'));
    try {
      return await measure(folder, quick, quick ? 1 : Math.min(rounds, MOST_ROUNDS));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};
