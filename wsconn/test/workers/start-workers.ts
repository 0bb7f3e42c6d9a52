import { onTestFinished } from 'vitest';

import { connect, type WsConnAdapter } from '../../../src/index.ts';
import { closeOf } from '../../../test/support/events.ts';
import type { WatchedOptions } from '../../../test/support/programs/watched-program.ts';
import { serve } from '../../../test/support/wsconn.ts';

/** Starts `wsconn serve` with two workers; returns their processes too. */
export async function serveWithWorkers(
  to: number | string,
  args: readonly string[] = [],
  options?: WatchedOptions,
) {
  const started = await serve(to, ['--workers', '2', ...args], options);
  const [, first, second] = await started.program.prints(/2 workers .*: processes (\d+), (\d+)/);
  return { ...started, pids: [Number(first), Number(second)] as const };
}

/** Opens a connection that ends with the test. */
export function dial(url: string, options?: Parameters<typeof connect>[1]): WsConnAdapter {
  const adapter = connect(url, options);
  adapter.on('error', () => undefined);
  onTestFinished(async () => {
    adapter.destroy();
    await closeOf(adapter);
  });
  return adapter;
}
