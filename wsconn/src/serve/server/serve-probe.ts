import { pipeline } from 'node:stream/promises';

import type { WsConnSocket } from 'ws-conn-adapter';

import type { Ending } from '../../target/forward-to-target.ts';

/**
 * Time in ms after which a probe is closed: without pings of our own, a client that is gone would
 * never be noticed.
 */
const PROBE_LIMIT = 3_600_000;

/**
 * Echoes what arrives and sends nothing else, so that a client can find out what the path does to
 * idle connections. Resolves when it has ended.
 */
export async function serveProbe(adapter: WsConnSocket): Promise<Ending> {
  const limit = setTimeout(() => {
    void adapter.close();
  }, PROBE_LIMIT);
  try {
    await pipeline(adapter, adapter);
    return {};
  } catch (error) {
    return { by: 'client', error };
  } finally {
    clearTimeout(limit);
  }
}
