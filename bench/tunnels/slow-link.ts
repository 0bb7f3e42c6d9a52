import path from 'node:path';

import type { Contestant } from './contestants.ts';
import { startLoad } from './load.ts';
import { startTunnel } from './tunnel.ts';

/** Bytes a second, each way: the uplink of a DSL line. */
const RATE = 130_000;

/** What one contestant has reached: kB/s of both uploads, and ms of the median round trip. */
export interface OnSlowLink {
  readonly name: string;
  readonly alone: number;
  readonly beside: number;
  readonly trip: number;
}

/** What the contestant is called whose upload has round trips beside it. */
export function withTrips(name: string): string {
  return `${name}, with round trips beside`;
}

/**
 * Measures an upload over a slow link alone, and at the same time, over another such link, one with
 * round trips beside it.
 * @param folder - where the program of the link was bundled to
 * @param load - the file of the load
 */
export async function measureOnSlowLink(
  contestant: Contestant,
  folder: string,
  load: string,
  seconds: number,
): Promise<OnSlowLink> {
  const { name } = contestant;
  const link = (port: number, far: number): readonly string[] => [
    process.execPath,
    path.join(folder, 'slow-link.mjs'),
    ...[port, far, RATE].map(String),
  ];
  const measure = async (what: 'alone' | 'trips'): Promise<readonly number[]> => {
    const { target, ask, stop } = await startLoad(load);
    const tunnel = await startTunnel(contestant, target, link);
    try {
      return await ask(`beside ${String(tunnel.port)} ${String(seconds)} ${what}`);
    } finally {
      await tunnel.stop();
      stop();
    }
  };
  const [[alone = NaN], [beside = NaN, trip = NaN]] = await Promise.all([
    measure('alone'),
    measure('trips'),
  ]);
  return { name, alone, beside, trip };
}
