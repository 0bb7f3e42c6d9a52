/** The cuts: a connection that breaks off anywhere, by FIN or by RST. The receiver always knows. */
import { leaksSince, takeSnapshot, watchTimers } from '../../setup/leaks.ts';
import { BrokenPromise, type Outcome, type Part, type PartOptions } from '../part.ts';
import { type Cut, placesOf, randomCut, SHORT_EXCHANGES } from './places.ts';
import { random, shuffle } from './random.ts';
import { runExchange, type Seen } from './run-exchange.ts';

/** Cuts at a time: most of each is waiting. */
const AT_ONCE = 16;
/** Cuts after which everybody stops, to look at what was left behind. */
const ROUND = 128;
/** Time in ms in which what a round has left must be gone. */
const PATIENCE = 5_000;
/** Of so many cuts one is in a transfer, and the others are in a short exchange. */
const TRANSFER_OF = 4;

/** What went wrong beside the cuts since it was last looked at. */
const unhandled: string[] = [];

function onUnhandled(error: unknown): void {
  unhandled.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
}

function show({ exchange, at, direction, how }: Cut): string {
  return `${how.toUpperCase()} at byte ${String(at)} ${direction} of ${JSON.stringify(exchange)}`;
}

/** All places of the short exchanges, in an order of the seed's. */
async function shortPlaces(seed: number): Promise<Cut[]> {
  const each = SHORT_EXCHANGES.map(async (exchange) => {
    const { passed } = await runExchange(exchange, null);
    return placesOf(exchange, passed);
  });
  return shuffle((await Promise.all(each)).flat(), random(seed));
}

async function runCut(cut: Cut, seed: number): Promise<Seen> {
  try {
    const seen = await runExchange(cut.exchange, cut);
    if (unhandled.length > 0) throw new Error(`unhandled: ${unhandled.splice(0).join('\n')}`);
    return seen;
  } catch (error) {
    const { message } = error as Error;
    const again = `again: npm run stress -- --only cuts --seed ${String(seed)}`;
    throw new BrokenPromise(`by a cut, ${show(cut)}:\n${message}\n${again}`);
  }
}

/** Runs cuts, some at a time; when one has failed, those that run are waited for. */
async function runRound(cuts: readonly Cut[], seed: number): Promise<Seen[]> {
  const waiting = [...cuts];
  const seen: Seen[] = [];
  const rows = Array.from({ length: AT_ONCE }, async () => {
    for (let cut = waiting.shift(); cut; cut = waiting.shift()) {
      try {
        seen.push(await runCut(cut, seed));
      } catch (error) {
        waiting.length = 0;
        throw error;
      }
    }
  });
  for (const row of await Promise.allSettled(rows)) if (row.status === 'rejected') throw row.reason;
  return seen;
}

export interface CutsOptions extends PartOptions {
  /** Cuts to make; as many as there is time for where left out. */
  readonly cuts?: number;
}

export async function runCuts({
  seed,
  seconds,
  onProgress,
  cuts = Infinity,
}: CutsOptions): Promise<Outcome> {
  const started = performance.now();
  const until = started + seconds * 1000;
  process.on('uncaughtException', onUnhandled);
  process.on('unhandledRejection', onUnhandled);
  const stopWatching = watchTimers();
  const sum = { cuts: 0, apart: 0, resetsAsEnds: 0 };
  let [done, short] = [0, 0];
  try {
    const places = await shortPlaces(seed);
    while (performance.now() < until && done < cuts) {
      const before = takeSnapshot();
      const round: Cut[] = [];
      for (; round.length < ROUND && done < cuts; done++) {
        const place = done % TRANSFER_OF > 0 ? places[short++ % places.length] : undefined;
        round.push(place ?? randomCut(seed + done));
      }
      for (const { apart, resetAsEnd, wasCut } of await runRound(round, seed)) {
        if (wasCut) sum.cuts++;
        if (resetAsEnd) sum.resetsAsEnds++;
        sum.apart = Math.max(sum.apart, apart);
      }
      const left = await leaksSince(before, PATIENCE);
      if (left.length > 0) {
        const which = `up to number ${String(done)} of seed ${String(seed)}`;
        throw new BrokenPromise(`left behind by the cuts ${which}:\n${left.join('\n')}`);
      }
      onProgress(Math.max(done / cuts, (performance.now() - started) / (seconds * 1000)));
    }
    const many = (count: number): string => count.toLocaleString('en');
    const swept = Math.min(short, places.length);
    const notes = [
      `${many(swept)} of the ${many(places.length)} places in handshakes and first frames`,
      `the two ends have closed ${many(Math.round(sum.apart))} ms apart at most`,
      `${many(sum.resetsAsEnds)} times Node has shown the reset of a joined TCP socket as an end`,
    ];
    return { counts: { cuts: sum.cuts }, notes };
  } finally {
    stopWatching();
    process.off('uncaughtException', onUnhandled);
    process.off('unhandledRejection', onUnhandled);
  }
}

export const cuts: Part = {
  name: 'cuts',
  summary: 'FIN and RST at each byte of handshakes and first frames, and anywhere in transfers',
  weight: 2,
  run: runCuts,
};
