/** What one contestant has reached in one respect. */
export interface Sample {
  readonly contestant: string;
  readonly metric: string;
  readonly unit: string;
  readonly better: 'more' | 'less';
  /** One a round, in round order: what compares are those of one round. */
  readonly values: readonly number[];
}

/** How one contestant is to compare with another. */
export interface Aim {
  readonly metric: string;
  readonly contestant: string;
  readonly against: string;
  /** Bounds of contestant/against within rounds, or of the difference. */
  readonly atLeast?: number;
  readonly atMost?: number;
  /**
   * Whether the bounds are of contestant/against or of contestant - against, in the metric's unit.
   * @default 'ratio'
   */
  readonly of?: 'ratio' | 'difference';
}

export interface RunOptions {
  readonly quick: boolean;
  /** Rounds that count. */
  readonly rounds: number;
  /** Rounds before: Node compiles what runs often. */
  readonly warmUps: number;
}

/**
 * One question to measure. Of each metric the first contestant among the samples is ours: the
 * others are shown as a ratio to it.
 */
export interface BenchCase {
  /** What `--only` names. */
  readonly name: string;
  readonly title: string;
  readonly aims: readonly Aim[];
  /** @throws LeftOut where nothing of it can run here */
  run(options: RunOptions): Promise<readonly Sample[]>;
}

/** Says why a case, or one of its contestants, cannot run on this machine. */
export class LeftOut extends Error {
  /** @param needs - what is missing, as in "needs Go" */
  constructor(needs: string) {
    super(`left out: needs ${needs}`);
  }
}

/** Prints that one contestant of a case is left out, which does not stop the others. */
export function printLeftOut(contestant: string, needs: string): void {
  console.log(`  ${contestant}: ${new LeftOut(needs).message}`);
}
