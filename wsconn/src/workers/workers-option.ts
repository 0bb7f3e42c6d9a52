import { availableParallelism } from 'node:os';

import { usageFailure } from '../console/failure.ts';
import { showGiven } from '../console/secrets.ts';
import type { OptionSpecs, Values } from '../options/options.ts';

/** More than any machine has use for; the number of a worker fits into a byte. */
const MOST = 255;
const AUTO = 'auto';

/** The option that spreads the work over several processes. */
export const WORKERS_OPTION = {
  workers: {
    value: 'NUMBER',
    default: '1',
    help: "processes that share the work; 'auto' or 0 for one per core",
  },
} as const satisfies OptionSpecs;

/** Returns how many processes share the work. */
export function readWorkers(values: Values<'workers'>): number {
  const text = values.text('workers') ?? '1';
  const number = text === AUTO ? 0 : Number(text);
  if (text !== AUTO && (!/^\d+$/.test(text) || number > MOST)) {
    throw usageFailure(
      `${values.nameOf('workers')} must be a whole number up to ${String(MOST)}, or ${AUTO}, but is ${showGiven(text)}`,
    );
  }
  return number === 0 ? Math.min(availableParallelism(), MOST) : number;
}
