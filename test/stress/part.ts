/** What the stress command runs: parts, each of which looks for one kind of fault. */

export interface PartOptions {
  readonly seed: number;
  /** Time in s that the part may take. */
  readonly seconds: number;
  /** Called with the share that is done, from 0 to 1. */
  readonly onProgress: (share: number) => void;
}

/** What a part has found out, for the summary. */
export interface Outcome {
  /** What was done, and how much of it: `histories`, `cuts`, … */
  readonly counts: Readonly<Record<string, number>>;
  /** Lines for whoever reads the summary. */
  readonly notes?: readonly string[];
}

/** A promise was broken; the message shows how, and how to see it again. */
export class BrokenPromise extends Error {}

export interface Part {
  readonly name: string;
  /** What it does, in a line. */
  readonly summary: string;
  /** Its share of the time, against the others. */
  readonly weight: number;
  /** @throws BrokenPromise */
  run(options: PartOptions): Promise<Outcome>;
}
