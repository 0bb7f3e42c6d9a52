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
