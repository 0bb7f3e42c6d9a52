/** Arbitrary bytes to whatever takes bytes of a peer. */
import { BrokenPromise, type Outcome, type Part, type PartOptions } from '../part.ts';
import { load, save } from './corpus.ts';
import { memoryWatch } from './memory-watch.ts';
import { TargetRun, watchUnhandled } from './run-target.ts';
import { targets } from './targets.ts';

export interface FuzzOptions extends PartOptions {
  /** Rows of inputs for each target; as many as there is time for where left out. */
  readonly rows?: number;
  /** Whether inputs that reach something new are added to the corpus; not in CI. */
  readonly keep?: boolean;
}

export async function runFuzz(options: FuzzOptions): Promise<Outcome> {
  return watchUnhandled(() => runAll(options));
}

async function runAll({
  seed,
  seconds,
  onProgress,
  rows = Infinity,
  keep = process.env['FUZZ_KEEP'] === '1',
}: FuzzOptions): Promise<Outcome> {
  const allWeight = targets.reduce((sum, { weight }) => sum + weight, 0);
  const started = performance.now();
  const elapsed = (): number => (performance.now() - started) / 1000;
  const counts: Record<string, number> = { inputs: 0 };
  const notes: string[] = [];
  let until = 0;
  for (const target of targets) {
    until += (seconds * target.weight) / allWeight;
    const since = elapsed();
    const kept = load(target.name);
    const run = new TargetRun(target, seed);
    await run.runKept(kept);
    const known = run.seen.size;
    const memory = memoryWatch();
    for (let row = 0; row < rows && elapsed() < until; row++) {
      await run.runRow();
      memory.look();
      onProgress(elapsed() / seconds);
    }
    const grown = memory.grown();
    if (grown.broken) throw new BrokenPromise(`by ${target.name}: ${grown.text}`);
    counts['inputs'] = (counts['inputs'] ?? 0) + run.count;
    const rate = Math.round(run.count / (elapsed() - since));
    const fresh = run.seen.size - known;
    notes.push(
      `${target.name}: ${run.count.toLocaleString('en')} inputs, ${String(rate)} a second, ` +
        `${String(run.seen.size)} kinds of outcome (${String(fresh)} not in the corpus); ${grown.text}`,
    );
    if (keep) {
      notes.push(`  ${String(save(target.name, run.found))} are kept now`);
    }
  }
  return { counts, notes };
}

export const fuzz: Part = {
  name: 'fuzz',
  summary: 'arbitrary bytes to all that takes bytes of a peer',
  weight: 2,
  run: runFuzz,
};
