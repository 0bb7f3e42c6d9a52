/** Runs one target: what is kept first, then what is new, with more of what has reached something. */
import fc from 'fast-check';

import { BrokenPromise } from '../part.ts';
import { type Entry, format } from './corpus.ts';
import { changed } from './inputs.ts';
import { Broken, type Input, type Target } from './target.ts';

/** Inputs of one row of fast-check. */
const ROW = 250;
/** Time in ms in which every input must have come to its end. */
const PATIENCE = 10_000;
/** Bytes of the largest input that is kept in mind, to be changed. */
const MAX_BYTES = 2_000;

/** What went wrong beside the inputs since it was last looked at. */
const unhandled: string[] = [];

function onUnhandled(error: unknown): void {
  unhandled.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
}

/** Runs a function while what nobody handles is held against the inputs. */
export async function watchUnhandled<T>(action: () => Promise<T>): Promise<T> {
  unhandled.length = 0;
  process.on('uncaughtException', onUnhandled);
  process.on('unhandledRejection', onUnhandled);
  try {
    return await action();
  } finally {
    process.off('uncaughtException', onUnhandled);
    process.off('unhandledRejection', onUnhandled);
  }
}

/**
 * Runs a target on one input, and returns the outcome.
 * @throws Broken
 */
export async function runInput(target: Target, input: Input): Promise<string[]> {
  const running = target.run(input);
  let outcome: string[];
  if (Array.isArray(running)) {
    outcome = running;
  } else {
    let limit: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      limit = setTimeout(() => {
        const others = unhandled.splice(0).join('\n');
        reject(new Broken(`it has not ended within ${String(PATIENCE)} ms\n${others}`));
      }, PATIENCE);
    });
    outcome = await Promise.race([running, late]).finally(() => {
      clearTimeout(limit);
    });
  }
  if (unhandled.length > 0) throw new Broken(`unhandled: ${unhandled.splice(0).join('\n')}`);
  return outcome;
}

/** Runs a target on inputs that nobody has seen, and keeps those that reach something new. */
export class TargetRun {
  readonly target: Target;
  /** Everything that came of inputs so far. */
  readonly seen = new Set<string>();
  /** Inputs that were the first with something of it, unless they are very long. */
  readonly found: Entry[] = [];
  /** Inputs that were run so far. */
  count = 0;
  readonly #seed: number;
  #rows = 0;

  constructor(target: Target, seed: number) {
    this.target = target;
    this.#seed = seed;
  }

  /** Runs what is kept; an input must still keep all promises, but may end in another way. */
  async runKept(entries: readonly Entry[]): Promise<void> {
    for (const { input } of entries) {
      try {
        this.#note(input, await runInput(this.target, input));
      } catch (error) {
        throw this.#broken('an input that is kept', input, error);
      }
      this.count++;
    }
  }

  /** Runs a row of new inputs. */
  async runRow(): Promise<void> {
    const seed = this.#seed + this.#rows++;
    const { inputs } = this.target;
    const pool = this.found.map(({ input }) => input);
    const arbitrary = pool.length === 0 ? inputs : fc.oneof(inputs, changed(pool));
    const property = fc.asyncProperty(arbitrary, async (input) => {
      this.#note(input, await runInput(this.target, input));
    });
    const result = await fc.check(property, { seed, numRuns: ROW });
    this.count += result.numRuns;
    if (!result.failed) return;
    const [input = { variant: 0, chunks: [] }] = result.counterexample ?? [];
    const times = String(result.numShrinks);
    const what = `an input of seed ${String(seed)}, shrunk ${times} times`;
    throw this.#broken(what, input, result.errorInstance);
  }

  #note(input: Input, outcome: readonly string[]): void {
    const fresh = outcome.filter((words) => !this.seen.has(words));
    if (fresh.length === 0) return;
    for (const words of fresh) this.seen.add(words);
    const size = input.chunks.reduce((sum, { length }) => sum + length, 0);
    if (size <= MAX_BYTES) this.found.push({ input, outcome: fresh.join('; ') });
  }

  #broken(what: string, input: Input, error: unknown): BrokenPromise {
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    const { name } = this.target;
    return new BrokenPromise(
      [
        `by ${name}, ${what}:`,
        `  ${format(input)}`,
        message,
        `again: add the line to test/stress/fuzz/corpus/${name}.txt, or`,
        `npm run stress -- --only fuzz --seed ${String(this.#seed)}`,
      ].join('\n'),
    );
  }
}
