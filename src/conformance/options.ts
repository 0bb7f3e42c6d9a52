import { allCases } from './cases.ts';
import type { SocketFeatures } from './frame/features.ts';
import type { Case } from './frame/group.ts';
import type { MakeDialler, MakePair, Subject } from './frame/subject.ts';

/** Says what a pair can do, and how the suite treats it. */
export interface ConformanceOptions {
  /**
   * What the stream claims to do beyond what every connected stream does.
   *
   * @default {}, nothing
   */
  readonly features?: SocketFeatures;
  /**
   * Makes a place to connect to.
   *
   * @default none: the cases on ends that are still connecting are left out
   */
  readonly makeDialler?: MakeDialler;
  /**
   * Bytes of the largest stretch that an unread connection may take in, at both ends and between
   * them. Back pressure has to show before.
   *
   * @default 33554432, 32 MiB
   */
  readonly mostBuffered?: number;
  /**
   * Time in ms after which a case fails, with what it still waited for; stopping its pair has the
   * same time.
   *
   * @default 10000
   */
  readonly timeLimit?: number;
  /**
   * Names of groups or of promises that are known not to be kept. `describeSocket()` skips them;
   * `checkSocket()` tries and reports them, but does not count them.
   *
   * @default [], none
   */
  readonly except?: readonly string[];
}

/** Puts the options together with their defaults. */
export function subjectOf(makePair: MakePair, options: ConformanceOptions): Subject {
  const {
    features = {},
    makeDialler,
    mostBuffered = 32 * 1024 * 1024,
    timeLimit = 10_000,
  } = options;
  for (const name of options.except ?? []) {
    if (!allCases.some(({ group, promise }) => name === group || name === promise)) {
      throw new TypeError(`The "except" names no group and no promise of the suite: '${name}'`);
    }
  }
  return { makePair, makeDialler, features, mostBuffered, timeLimit };
}

/** Returns why a case is not claimed, or undefined where it is. */
export function notClaimed(one: Case, options: ConformanceOptions): string | undefined {
  const { features = {}, except = [], makeDialler } = options;
  if (except.some((name) => name === one.group || name === one.promise)) {
    return 'known not to be kept';
  }
  for (const need of one.needs) {
    if (need === 'dialler') {
      if (!makeDialler) return 'there is no makeDialler';
    } else if (features[need] !== true) {
      return features[need] === false ? `${need} is not there` : `${need} is not claimed`;
    }
  }
  return undefined;
}
