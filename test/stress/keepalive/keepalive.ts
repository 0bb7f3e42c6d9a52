/**
 * The keepalive table: every combination of what a connection may be doing, with a simulated clock,
 * and as many as there is time for over real sockets. Each is held against what is promised.
 */
import { leaksSince, takeSnapshot, watchTimers } from '../../setup/leaks.ts';
import { random, shuffle } from '../cuts/random.ts';
import { BrokenPromise, type Outcome, type Part, type PartOptions } from '../part.ts';
import { type Cell, CELLS, impossible, show } from './cells.ts';
import { measure, MEASURED_TIMING } from './measure.ts';
import { inWords, promised, type Verdict } from './promise.ts';
import { simulate, TIMING } from './simulate.ts';

/** Connections that are measured at a time: each waits, most of the time. */
const AT_ONCE = 24;
/** Time in ms for which one that is to live is watched. */
const WINDOW = 3 * (MEASURED_TIMING.interval + MEASURED_TIMING.pongTimeout);
/** Time in ms by which a busy machine may be late with a death: more than one pongTimeout anew. */
const SLACK = 5_000;
/** Time in ms that making and ending a round of connections takes. */
const AROUND = 1_000;
/** Time in ms in which what the connections have left must be gone. */
const PATIENCE = 5_000;

/** Holds every cell against what is promised, by the simulated clock. */
function simulateAll(seed: number): number {
  const possible = CELLS.filter((cell) => impossible(cell) === null);
  for (const cell of possible) {
    const [is, due] = [simulated(cell), inTable(promised(cell, TIMING))];
    if (is !== due) throw broken(cell, `promised is: ${due}\nit was: ${is}`, seed);
  }
  return possible.length;
}

function simulated(cell: Cell): string {
  try {
    return inTable(simulate(cell));
  } catch (error) {
    return String(error);
  }
}

/** With the ms, which the words of the table round. */
function inTable(verdict: Verdict | null): string {
  if (!verdict) return '—';
  const exact = verdict.is === 'dead' ? ` (${String(verdict.after)} ms)` : '';
  return `${inWords(verdict, TIMING)}${exact}`;
}

function broken(cell: Cell, what: string, seed: number): BrokenPromise {
  const again = `again: npm run stress -- --only keepalive --seed ${String(seed)}`;
  return new BrokenPromise(`by a keepalive, ${show(cell)}:\n${what}\n${again}`);
}

/** Time in ms after which a cell's keepalive has said all that it will say. */
function timeFor(cell: Cell): number {
  const due = promised(cell, MEASURED_TIMING);
  return due?.is === 'dead' ? due.after + MEASURED_TIMING.interval : WINDOW;
}

async function measureOne(cell: Cell, seed: number): Promise<void> {
  const due = promised(cell, MEASURED_TIMING);
  if (!due) return;
  const mayDie = due.is === 'dead';
  const { dead } = await measure(cell, mayDie ? timeFor(cell) + SLACK : WINDOW);
  if (!mayDie && dead !== null) {
    throw broken(cell, `over real sockets it died after ${dead.toFixed(0)} ms`, seed);
  }
  // The ping that counts may be an interval older than the state that the cell asks for.
  const least = mayDie ? due.after - MEASURED_TIMING.interval : 0;
  if (mayDie && (dead === null || dead < least)) {
    const was = dead === null ? 'it lived' : `it died after ${dead.toFixed(0)} ms`;
    throw broken(cell, `over real sockets ${was}, not after ${String(due.after)} ms`, seed);
  }
}

/** Measures cells until there is no time for another one; returns how many. */
async function measureSome(
  cells: readonly Cell[],
  until: number,
  seed: number,
  onProgress: () => void,
): Promise<number> {
  const waiting = [...cells];
  let done = 0;
  const row = async (): Promise<void> => {
    for (;;) {
      const left = until - performance.now() - AROUND;
      const index = waiting.findIndex((cell) => timeFor(cell) < left);
      const [cell] = index === -1 ? [] : waiting.splice(index, 1);
      if (!cell) return;
      try {
        await measureOne(cell, seed);
      } catch (error) {
        waiting.length = 0;
        throw error;
      }
      done++;
      onProgress();
    }
  };
  const rows = await Promise.allSettled(Array.from({ length: AT_ONCE }, row));
  for (const one of rows) if (one.status === 'rejected') throw one.reason;
  return done;
}

export interface KeepaliveTableOptions extends PartOptions {
  /** Cells to measure over real sockets; as many as there is time for where left out. */
  readonly measured?: readonly Cell[];
}

export async function runKeepaliveTable({
  seed,
  seconds,
  onProgress,
  measured = shuffle(CELLS.filter(isMeasured), random(seed)),
}: KeepaliveTableOptions): Promise<Outcome> {
  const started = performance.now();
  const count = simulateAll(seed);
  const stopWatching = watchTimers();
  try {
    const before = takeSnapshot();
    const until = started + seconds * 1000;
    const measuredCount = await measureSome(measured, until, seed, () => {
      onProgress((performance.now() - started) / (seconds * 1000));
    });
    const left = await leaksSince(before, PATIENCE);
    if (left.length > 0) {
      throw new BrokenPromise(
        `left behind by keepalives, seed ${String(seed)}:\n${left.join('\n')}`,
      );
    }
    const notes = [
      `${String(CELLS.length - count)} of the ${String(CELLS.length)} cells cannot be; ` +
        `${String(measuredCount)} of the others were measured over real sockets too`,
    ];
    return { counts: { cells: count, measured: measuredCount }, notes };
  } finally {
    stopWatching();
  }
}

/** Which answer is too late depends on the machine, where it is a real one. */
function isMeasured(cell: Cell): boolean {
  return impossible(cell) === null && cell.peer !== 'too late';
}

export const keepalive: Part = {
  name: 'keepalive',
  summary: 'a keepalive in every combination of phase, traffic, reading, queue and peer',
  weight: 1,
  run: runKeepaliveTable,
};
