export interface Sample {
  readonly contestant: string;
  readonly metric: string;
  readonly unit: string;
  readonly better: 'more' | 'less';
  readonly values: readonly number[];
}
export interface Aim {
  readonly metric: string;
  readonly contestant: string;
  readonly against: string;
  readonly atLeast?: number;
  readonly atMost?: number;
}
export interface BenchCase {
  readonly name: string;
  readonly title: string;
  readonly aims: readonly Aim[];
  run(options: { readonly quick: boolean; readonly rounds: number; readonly warmUps: number }): Promise<readonly Sample[]>;
}
