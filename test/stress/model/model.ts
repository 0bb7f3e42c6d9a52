/** The model test: random histories over every kind of connection, and what must hold after each. */
import fc from 'fast-check';

import { leaksSince, takeSnapshot, watchTimers } from '../../setup/leaks.ts';
import { BrokenPromise, type Outcome, type Part, type PartOptions } from '../part.ts';
import { type History, peaceful, show, violent } from './history.ts';
import { KINDS } from './kinds.ts';
import { runHistory } from './run-history.ts';
import { Broken } from './watched-end.ts';

/** Histories that run at a time: most of each is waiting. */
const AT_ONCE = 16;
/** Histories after which everybody stops, to look at what was left behind. */
const ROUND = 8;
/** Time in ms in which what a round has left must be gone. */
const PATIENCE = 5_000;
/** Of ten histories, so many are peaceful. */
const PEACEFUL_OF_TEN = 3;

interface Sample {
  readonly pair: string;
  readonly peaceful: boolean;
  readonly history: History;
}

const pairs = fc.oneof(
  ...Object.entries(KINDS).map(([name, { weight }]) => ({ weight, arbitrary: fc.constant(name) })),
);
const samples: fc.Arbitrary<Sample> = fc.oneof(
  {
    weight: PEACEFUL_OF_TEN,
    arbitrary: fc.record({ pair: pairs, peaceful: fc.constant(true), history: peaceful }),
  },
  {
    weight: 10 - PEACEFUL_OF_TEN,
    arbitrary: fc.record({ pair: pairs, peaceful: fc.constant(false), history: violent }),
  },
);

/** What went wrong beside the histories since it was last looked at. */
const unhandled: string[] = [];

function onUnhandled(error: unknown): void {
  unhandled.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
}

async function runSample({ pair, peaceful: mustEndWell, history }: Sample): Promise<void> {
  const kind = KINDS[pair];
  if (!kind) throw new Error(`there is no pair ${pair}`);
  await runHistory(kind, history, mustEndWell);
  if (unhandled.length > 0) throw new Broken(`unhandled: ${unhandled.splice(0).join('\n')}`);
}

/** A history that breaks a promise, and how many of its row there were until then. */
class BrokenHistory extends Error {
  readonly row: number;

  constructor(row: number, message: string) {
    super(message);
    this.row = row;
  }
}

/** Runs `count` histories of one seed in a row, and returns how many there were. */
async function runRow(seed: number, count: number): Promise<number> {
  const result = await fc.check(fc.asyncProperty(samples, runSample), {
    seed,
    numRuns: count,
    interruptAfterTimeLimit: 60_000,
    markInterruptAsFailure: false,
  });
  // Out of time before the first history was over.
  if (!result.failed || result.counterexample === null) return result.numRuns;
  const [sample] = result.counterexample;
  const shown = `${sample.pair}${sample.peaceful ? ', peaceful' : ''}\n${show(sample.history)}`;
  const error = result.errorInstance instanceof Error ? result.errorInstance.message : '';
  const steps = sample.history.steps.length;
  throw new BrokenHistory(
    result.numRuns,
    [
      `shrunk ${String(result.numShrinks)} times, to ${String(steps)} steps:`,
      `  over ${shown}`,
      error,
      `again: npm run stress -- --only model --seed ${String(seed)}`,
    ].join('\n'),
  );
}

export interface ModelOptions extends PartOptions {
  /** Histories to run; as many as there is time for where left out. */
  readonly histories?: number;
}

export async function runModel({
  seed,
  seconds,
  onProgress,
  histories = Infinity,
}: ModelOptions): Promise<Outcome> {
  const until = performance.now() + seconds * 1000;
  const started = performance.now();
  process.on('uncaughtException', onUnhandled);
  process.on('unhandledRejection', onUnhandled);
  const stopWatching = watchTimers();
  let done = 0;
  try {
    for (let round = 0; performance.now() < until && done < histories; round++) {
      const before = takeSnapshot();
      const each = Math.min(ROUND, Math.ceil((histories - done) / AT_ONCE));
      const rows = Array.from({ length: AT_ONCE }, (_, i) =>
        runRow(seed + round * AT_ONCE + i, each),
      );
      const settled = await Promise.allSettled(rows);
      const broken = settled
        .filter((row) => row.status === 'rejected')
        .map(({ reason }) => reason as BrokenHistory);
      for (const row of settled) if (row.status === 'fulfilled') done += row.value;
      for (const { row } of broken) done += row;
      const [first] = broken;
      if (first) throw new BrokenPromise(`found in ${String(done)} histories, ${first.message}`);
      const left = await leaksSince(before, PATIENCE);
      if (left.length > 0) {
        throw new BrokenPromise(
          `left behind by the histories of seeds from ${String(seed + round * AT_ONCE)}:\n${left.join('\n')}`,
        );
      }
      onProgress(Math.max(done / histories, (performance.now() - started) / (seconds * 1000)));
    }
  } finally {
    stopWatching();
    process.off('uncaughtException', onUnhandled);
    process.off('unhandledRejection', onUnhandled);
  }
  return { counts: { histories: done } };
}

export const model: Part = {
  name: 'model',
  summary: 'random histories over every kind of connection',
  weight: 5,
  run: runModel,
};
