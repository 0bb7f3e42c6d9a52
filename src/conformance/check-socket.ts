import { allCases } from './cases.ts';
import { missingMethods, type Need } from './frame/features.ts';
import type { Case } from './frame/group.ts';
import type { MakePair, Subject } from './frame/subject.ts';
import { Trial } from './frame/trial.ts';
import { type ConformanceOptions, notClaimed, subjectOf } from './options.ts';

/** What has become of one promise. */
export interface PromiseReport {
  /** What the promise is about. */
  readonly group: string;
  /** The promise in words: the name of its cases in `describeSocket()`. */
  readonly promise: string;
  /**
   * `kept` where all its cases passed, `broken` where one failed, `untried` where the stream has not
   * what they need, or where it was said not to be there.
   */
  readonly outcome: 'kept' | 'broken' | 'untried';
  /** Whether one of its cases is claimed: by the features, or for every connected stream. */
  readonly claimed: boolean;
  /** For each case that failed or was not tried, a line that says why. */
  readonly why: readonly string[];
}

/** What a stream keeps. */
export interface SocketReport {
  /** Whether every case that is claimed passed. */
  readonly ok: boolean;
  /** All promises, in the order of the suite. */
  readonly promises: readonly PromiseReport[];
}

/** Options of `checkSocket()`. */
export interface CheckOptions extends ConformanceOptions {
  /**
   * Says whether a promise is to be tried and reported.
   *
   * @default all are
   */
  readonly only?: (promise: Pick<PromiseReport, 'group' | 'promise'>) => boolean;
}

/**
 * Tries all promises without a test runner, one after the other, and reports which are kept: also
 * those that are not claimed, unless the stream has no method for them. Never rejects because a
 * promise is broken.
 *
 * While it runs, uncaught exceptions and unhandled rejections of the process count against the case
 * that runs.
 *
 * ```ts
 * import { duplexPair } from 'node:stream';
 *
 * import { checkSocket } from 'ws-conn-adapter/conformance';
 *
 * const makePair = ({ allowHalfOpen = false } = {}) => {
 *   const [a, b] = duplexPair({ allowHalfOpen });
 *   return { a, b };
 * };
 * const report = await checkSocket(makePair, { timeLimit: 1_000 });
 * for (const { outcome, group, promise } of report.promises) {
 *   console.log(`${outcome}: ${group}: ${promise}`);
 * }
 * ```
 *
 * @throws TypeError where `except` names what the suite does not have
 */
export async function checkSocket(
  makePair: MakePair,
  options: CheckOptions = {},
): Promise<SocketReport> {
  const subject = subjectOf(makePair, options);
  const missing = await missingOf(subject);
  const outcomes = new Map<string, PromiseReport[]>();
  const mishaps = new Mishaps();
  try {
    for (const one of allCases) {
      if (options.only?.(one) === false) continue;
      const name = `${one.group}: ${one.promise}`;
      const outcome = await tryCase(one, subject, options, missing, mishaps);
      outcomes.set(name, [...(outcomes.get(name) ?? []), outcome]);
    }
    // What the last case has left unhandled comes on a later turn.
    await new Promise((resolve) => setImmediate(resolve));
  } finally {
    mishaps.stop();
  }
  const cases = [...outcomes.values()];
  return {
    ok: cases.flat().every(({ claimed, outcome }) => !claimed || outcome === 'kept'),
    promises: cases.map(together),
  };
}

/** Counts errors that nobody handles against the case that runs. */
class Mishaps {
  #fail: ((error: unknown) => void) | undefined;
  readonly #onError = (error: unknown): void => {
    this.#fail?.(error);
  };

  constructor() {
    process.on('uncaughtException', this.#onError);
    process.on('unhandledRejection', this.#onError);
  }

  /** Returns a promise that rejects at the next mishap. */
  next(): Promise<never> {
    const mishap = new Promise<never>((_resolve, reject) => {
      this.#fail = reject;
    });
    mishap.catch(() => undefined);
    return mishap;
  }

  stop(): void {
    process.off('uncaughtException', this.#onError);
    process.off('unhandledRejection', this.#onError);
  }
}

/** Looks at an end of a pair for the methods that it has not. */
async function missingOf(subject: Subject): Promise<ReadonlyMap<Need, string>> {
  let missing: ReadonlyMap<Need, string> = new Map();
  await new Trial(subject).run(async (t) => {
    missing = missingMethods((await t.connected()).a);
  });
  return missing;
}

/** Returns why a case cannot be tried, or undefined where it can. */
function untriable(
  { needs }: Case,
  { features, makeDialler }: Subject,
  missing: ReadonlyMap<Need, string>,
): string | undefined {
  for (const need of needs) {
    if (need === 'dialler') {
      if (!makeDialler) return 'there is no makeDialler';
    } else if (features[need] === false) {
      return `${need} is not there`;
    }
    const method = missing.get(need);
    if (method !== undefined) return `there is no ${method}()`;
  }
  return undefined;
}

async function tryCase(
  one: Case,
  subject: Subject,
  options: ConformanceOptions,
  missing: ReadonlyMap<Need, string>,
  mishaps: Mishaps,
): Promise<PromiseReport> {
  const { group, promise, variant } = one;
  const claimed = notClaimed(one, options) === undefined;
  const report = (outcome: PromiseReport['outcome'], why?: string): PromiseReport => {
    const where = variant === undefined ? '' : `${variant}: `;
    return { group, promise, outcome, claimed, why: why === undefined ? [] : [where + why] };
  };
  const reason = untriable(one, subject, missing);
  if (reason !== undefined) return report('untried', reason);
  try {
    await new Trial(subject).run(one.run, mishaps.next());
    return report('kept');
  } catch (error) {
    return report('broken', error instanceof Error ? error.message : String(error));
  }
}

/** Puts the outcomes of the cases of one promise together. */
function together(cases: readonly PromiseReport[]): PromiseReport {
  const broken = cases.filter(({ outcome }) => outcome === 'broken');
  const kept = cases.filter(({ outcome }) => outcome === 'kept');
  const untried = cases.filter(({ outcome }) => outcome === 'untried');
  const [first] = [...broken, ...kept, ...untried];
  if (!first) throw new TypeError('a promise without cases');
  const claimed = cases.some((one) => one.claimed);
  return { ...first, claimed, why: [...broken, ...untried].flatMap(({ why }) => why) };
}
