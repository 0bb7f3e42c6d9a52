import { Failure } from '../console/failure.ts';
import { WORKER_VARIABLE } from '../console/worker-variable.ts';

/**
 * Returns the number of this worker, from 1 on; undefined where this process is none.
 * @throws Failure where the process is gone that has started it
 */
export function workerNumber(): number | undefined {
  const text = process.env[WORKER_VARIABLE];
  if (text === undefined) return undefined;
  if (!process.connected) throw new Failure('a worker is started by wsconn serve, and it is gone');
  return Number(text);
}
