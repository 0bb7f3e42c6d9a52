/** What load is: cases, each of which runs in a process of its own, whose memory is measured. */

export interface CaseOptions {
  readonly seed: number;
  /** Time in s after which nothing new is begun, once the least is done. */
  readonly seconds: number;
  /** How much to do, as a share of the full size; 1 in a minute of load, and more in a longer soak. */
  readonly scale: number;
  readonly onProgress: (share: number) => void;
}

export interface CaseResult {
  /** What was done: `connections`, `streams`, … */
  readonly counts: Readonly<Record<string, number>>;
  /** Figures, for whoever reads the summary. */
  readonly notes: readonly string[];
}

export interface Case {
  readonly name: string;
  /** Its share of the time, against the others. */
  readonly weight: number;
  /** @throws Broken */
  run(options: CaseOptions): Promise<CaseResult>;
}

/** A promise was broken; the message says which. */
export class Broken extends Error {}

export function check(holds: boolean, promise: string): void {
  if (!holds) throw new Broken(`broken: ${promise}`);
}

/** Counts how much of a case is done, and says when it is enough. */
export class Work {
  readonly size: number;
  readonly #least: number;
  readonly #until: number;
  readonly #onProgress: (share: number) => void;

  /**
   * @param full - how much it is at a scale of 1
   * @param least - how much it is at least, however little time there is
   */
  constructor({ seconds, scale, onProgress }: CaseOptions, full: number, least: number) {
    this.size = Math.max(least, Math.round(full * scale));
    this.#least = least;
    this.#until = performance.now() + seconds * 1000;
    this.#onProgress = onProgress;
  }

  /** Whether more is to be begun after so much. */
  goesOn(done: number): boolean {
    this.#onProgress(done / this.size);
    return done < this.#least || (done < this.size && performance.now() < this.#until);
  }
}

/** Resolves as the promise does; where that takes longer than `ms`, `what` has not happened. */
export async function within<T>(ms: number, promise: Promise<T>, what: () => string): Promise<T> {
  let limit: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    limit = setTimeout(() => {
      reject(new Broken(`broken: after ${String(ms)} ms ${what()}`));
    }, ms);
  });
  return Promise.race([promise, late]).finally(() => {
    clearTimeout(limit);
  });
}

/** Returns numbers from 0 to 1 that look like chance and are the same for one seed. */
export function chance(seed: number): () => number {
  // Mulberry32, by Tommy Ettinger (public domain).
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), 1 | state);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
}
