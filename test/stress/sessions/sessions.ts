/** Random histories of two sessions in memory, without sockets: so many that rare orders of events come up. */
import { BrokenPromise, type Outcome, type Part, type PartOptions } from '../part.ts';
import { History, type Tally } from './history.ts';

/** Histories between two looks at the clock. */
const ROUND = 100;

export interface SessionsOptions extends PartOptions {
  /** Histories to run; as many as there is time for where left out. */
  readonly histories?: number;
}

export async function runSessions({
  seed,
  seconds,
  onProgress,
  histories = Infinity,
}: SessionsOptions): Promise<Outcome> {
  const started = performance.now();
  const until = started + seconds * 1000;
  const tally: Tally = { histories: 0, steps: 0, lines: 0, cuts: 0, bytes: 0 };
  while (performance.now() < until && tally.histories < histories) {
    for (let i = 0; i < ROUND && tally.histories < histories; i++) {
      runOne(seed + tally.histories, tally);
    }
    onProgress(
      Math.max(tally.histories / histories, (performance.now() - started) / (seconds * 1000)),
    );
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { lines, cuts, bytes } = tally;
  const many = (count: number): string => count.toLocaleString('en');
  const notes = [
    `${many(lines)} lines, ${many(cuts)} cuts, ${many(Math.round(bytes / 1e6))} MB each byte of which came once and in order`,
  ];
  return { counts: { histories: tally.histories }, notes };
}

function runOne(seed: number, tally: Tally): void {
  try {
    new History(seed, tally).run();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new BrokenPromise(
      [
        `found in ${String(tally.histories + 1)} histories:`,
        message,
        `again: npm run stress -- --only sessions --seed ${String(seed)}`,
      ].join('\n'),
    );
  }
}

export const sessions: Part = {
  name: 'sessions',
  summary: 'two resumed sessions over lines that are cut anywhere, in memory',
  weight: 2,
  run: runSessions,
};
