import { type CommonName, type OptionSpecs, readOptions, type Values } from './options.ts';
import type { Log } from '../console/log.ts';
import { openLog } from './open-log.ts';

/** What the help of a subcommand says. */
interface CommandHelp {
  readonly name: string;
  /** What follows the name on the command line. */
  readonly usage: string;
  /** What it does, in one line. */
  readonly summary: string;
  /** What else a newcomer should know; lines of at most 78 characters. */
  readonly details: readonly string[];
  /** The one argument, where there is one, and what it is. */
  readonly argument?: { readonly name: string; readonly help: string };
  /** Options that are its own. */
  readonly options: OptionSpecs;
  /** Options that it shares with the others that connect to a server. */
  readonly connectionOptions?: OptionSpecs;
  /** Command lines that show it at work. */
  readonly examples: readonly string[];
}

/** One subcommand: what its help says, and how to run it. */
export interface Command extends CommandHelp {
  /** Whether the lines of its log carry the time. */
  readonly timed?: boolean;
  /** Reads its options; throws a Failure for those that are wrong. */
  prepare(args: readonly string[]): Promise<Prepared>;
}

/** A subcommand whose options are read. */
export interface Prepared {
  /** Where its failure is reported. */
  readonly failures: Log;
  /** Does the work and returns the exit code. What it throws is printed as one line. */
  run(): Promise<number>;
}

/** Describes a subcommand; `Name` are the names of its options and of its argument. */
export interface CommandSpec<Name extends string> extends CommandHelp {
  /** Whether the lines of its log carry the time. */
  readonly timed?: boolean;
  /** Does the work with what the command line and the environment say; returns the exit code. */
  run(values: Values<Name | CommonName>, log: Log): Promise<number>;
}

/** Makes a subcommand, which reads its options before it runs. */
export function defineCommand<Name extends string>(spec: CommandSpec<Name>): Command {
  return {
    ...spec,
    async prepare(args) {
      const options = { ...spec.options, ...spec.connectionOptions };
      const values = readOptions(args, process.env, options, spec.argument?.name);
      const log = await openLog(spec, values);
      const failures = await openLog({ name: spec.name }, values);
      return { failures, run: () => spec.run(values, log) };
    },
  };
}
