import { pipeline } from 'node:stream/promises';

import type { WsConnAdapter } from 'ws-conn-adapter';

/**
 * Time in ms after which a probe is ended: without pings of our own, a client that is gone would
 * never be noticed.
 */
const LIMIT = 3_600_000;

/**
 * Gives back what comes, and else keeps still, so that a client can find out what the path does to
 * idle connections.
 */
export async function echo(adapter: WsConnAdapter): Promise<void> {
  const limit = setTimeout(() => {
    void adapter.close();
  }, LIMIT);
  try {
    await pipeline(adapter, adapter);
  } finally {
    clearTimeout(limit);
  }
}
