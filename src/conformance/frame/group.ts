import type { Need } from './features.ts';
import type { Trial } from './trial.ts';

/** One thing that is tried with a pair. Several cases may be needed to tell whether a promise is kept. */
export interface Case {
  /** What the promise is about. */
  readonly group: string;
  readonly promise: string;
  /** The way in which this case tries it, where there are several. */
  readonly variant: string | undefined;
  readonly needs: readonly Need[];
  readonly run: (t: Trial) => Promise<void>;
}

type Name = string | readonly [promise: string, variant: string];
type Run = Case['run'];

/** Defines a case: its promise, what it needs beyond what its group needs, and what it does. */
export type Define = (name: Name, ...rest: [run: Run] | [needs: readonly Need[], run: Run]) => void;

/** Makes the cases of one group. */
export function group(
  name: string,
  needs: readonly Need[],
  define: (it: Define) => void,
): readonly Case[] {
  const cases: Case[] = [];
  define((named, ...rest) => {
    const [promise, variant] = typeof named === 'string' ? [named] : named;
    const [more, run] = rest.length === 1 ? [[], rest[0]] : rest;
    cases.push({ group: name, promise, variant, needs: [...needs, ...more], run });
  });
  return cases;
}

/** Returns the full name of a case within its group. */
export function nameOf({ promise, variant }: Case): string {
  return variant === undefined ? promise : `${promise}: ${variant}`;
}
