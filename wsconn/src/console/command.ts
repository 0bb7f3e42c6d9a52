import type { OptionSpecs } from './options.ts';

/** One subcommand: what its help says, and how to run it. */
export interface Command {
  readonly name: string;
  /** What follows the name on the command line. */
  readonly usage: string;
  /** What it does, in one line. */
  readonly summary: string;
  /** What else a newcomer should know; lines of at most 78 characters. */
  readonly details: readonly string[];
  readonly options: OptionSpecs;
  /** The one argument, where there is one, and what it is. */
  readonly argument?: { readonly name: string; readonly help: string };
  /** Command lines that show it at work. */
  readonly examples: readonly string[];
  /** Does the work and gives the exit code. What it throws is printed as one line. */
  run(args: readonly string[]): Promise<number>;
}
