// Looks for broken promises of the package: random histories, cuts, load, arbitrary bytes.
//
//   npm run stress                          all parts, a minute in all
//   npm run stress -- --seconds 600         longer
//   npm run stress -- --only model,cuts     some parts
//   npm run stress -- --seed 42             the same histories again
//
// It prints its seed first. At the first broken promise it ends with exit code 1, after the seed and
// the shortest history that shows it; 2 is a wrong command line.
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';

import { BrokenPromise, type Part } from './part.ts';
import { parts } from './parts.ts';
import { Progress } from './progress.ts';

const DEFAULT_SECONDS = 60;
/** Seeds of the rows within a run are counted up from its own. */
const MAX_SEED = 2 ** 30;

interface Command {
  readonly seed: number;
  readonly seconds: number;
  readonly chosen: readonly Part[];
}

class UsageError extends Error {}

function numberOption(name: string, value: string | undefined, fallback: number): number {
  if (value === undefined) return fallback;
  const number = Number(value);
  if (!Number.isInteger(number) || number < 1 || number > MAX_SEED) {
    throw new UsageError(`--${name} must be a whole number from 1 to ${String(MAX_SEED)}`);
  }
  return number;
}

function readCommandLine(): Command {
  const { values } = parseArgs({
    options: { seed: { type: 'string' }, seconds: { type: 'string' }, only: { type: 'string' } },
  });
  const names = values.only?.split(',') ?? parts.map(({ name }) => name);
  const chosen = names.map((name) => {
    const part = parts.find((one) => one.name === name);
    const known = parts.map((one) => one.name).join(', ');
    if (!part) throw new UsageError(`there is no part ${name}; there are ${known}`);
    return part;
  });
  return {
    seed: numberOption('seed', values.seed, randomInt(1, MAX_SEED)),
    seconds: numberOption('seconds', values.seconds, DEFAULT_SECONDS),
    chosen,
  };
}

async function run({ seed, seconds, chosen }: Command): Promise<void> {
  console.log(`Node ${process.version}, seed ${String(seed)}, ${String(seconds)} s`);
  const allWeight = chosen.reduce((sum, { weight }) => sum + weight, 0);
  for (const part of chosen) {
    const share = (seconds * part.weight) / allWeight;
    const progress = new Progress(part.name, share);
    const started = performance.now();
    try {
      const { counts, notes = [] } = await part.run({
        seed,
        seconds: share,
        onProgress: (done) => {
          progress.show(done);
        },
      });
      progress.clear();
      const all = Object.entries(counts).map(
        ([what, count]) => `${count.toLocaleString('en')} ${what}`,
      );
      const took = ((performance.now() - started) / 1000).toFixed(0);
      console.log(`✓ ${part.name.padEnd(10)} ${all.join(', ')} (${took} s)`);
      for (const note of notes) console.log(`    ${note}`);
    } finally {
      progress.clear();
    }
  }
}

try {
  await run(readCommandLine());
  // What hangs is found by the parts themselves; a lingering socket must not hold the process.
  process.exit(0);
} catch (error) {
  const isBroken = error instanceof BrokenPromise;
  const isUsage =
    error instanceof UsageError ||
    (error as NodeJS.ErrnoException).code?.startsWith('ERR_PARSE_ARGS');
  if (isBroken) console.error(`✗ A promise was broken, ${error.message}`);
  else if (isUsage) console.error(`stress: ${(error as Error).message}`);
  else console.error(error);
  process.exit(isUsage ? 2 : 1);
}
