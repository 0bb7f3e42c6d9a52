import {
  type CommonName,
  type OptionSpecs,
  readOptions,
  type Values,
  variableOf,
} from './options.ts';
import { Failure } from '../console/failure.ts';
import type { Log } from '../log/log.ts';
import type { FileValue } from './given.ts';
import { levelOf, openLog } from './open-log.ts';

/** An argument of a subcommand. */
export interface Argument {
  readonly name: string;
  readonly help: string;
  /** The values that it can have, where they are few. */
  readonly choices?: readonly string[];
  /** Whether it is the path of a file. */
  readonly file?: boolean;
  /** Whether its value may hold a secret, and is shown in no message. */
  readonly secret?: boolean;
  /** Is taken for it where a file without it is checked, since a command line may give it. */
  readonly standIn?: string;
}

/** What the help of a subcommand says. */
interface CommandHelp {
  readonly name: string;
  /** What follows the name on the command line. */
  readonly usage: string;
  /** What it does, in one line. */
  readonly summary: string;
  /** What else a newcomer should know; lines of at most 78 characters. */
  readonly details: readonly string[];
  /** The argument, where there is one, and what it is. */
  readonly argument?: Argument;
  /** The one after it, which may be left out. */
  readonly secondArgument?: Argument;
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
  /** Whether it takes --config for itself, and reads no options from it. */
  readonly takesConfig?: boolean;
  /** Reads its options; throws a Failure for those that are wrong. */
  prepare(args: readonly string[], readConfig: ReadConfig): Promise<Prepared>;
  /**
   * Checks what it would do with the values of a configuration file and of the environment, without
   * doing it. Throws a Failure for what would keep it from starting.
   */
  check(file: readonly FileValue[], log: Log): Promise<void>;
}

/** Reads the configuration file of a subcommand; throws Failures for what is wrong with it. */
export type ReadConfig = (path: string, command: string) => Promise<ConfigFile>;

/** What a configuration file says for one subcommand. */
export interface ConfigFile {
  readonly values: readonly FileValue[];
  /** Warns where every user of the machine may read its secrets. */
  warn(log: Log): Promise<void>;
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
  /** Whether it takes --config for itself, and reads no options from it. */
  readonly takesConfig?: boolean;
  /**
   * Does the work with what the command line, the environment and the configuration file say.
   * Returns the exit code.
   * @param reread - reads the configuration file again, where there is one
   */
  run(
    values: Values<Name | CommonName>,
    log: Log,
    reread: Reread<Name | CommonName> | undefined,
  ): Promise<number>;
  /** Checks what the values mean as `run()` does, and does nothing else. */
  check?(values: Values<Name | CommonName>, log: Log): Promise<unknown>;
}

/** Reads the options again; throws a Failure for those that are wrong. */
export type Reread<Name extends string> = () => Promise<Values<Name>>;

/** Makes a subcommand, which reads its options before it runs. */
export function defineCommand<Name extends string>(spec: CommandSpec<Name>): Command {
  const options = { ...spec.options, ...spec.connectionOptions };
  const names = argumentsOf(spec).map(({ name }) => name);
  const read = (args: readonly string[], file?: readonly FileValue[]): Values<Name | CommonName> =>
    readOptions<string, string>(args, process.env, options, names, file);
  return {
    ...spec,
    async prepare(args, readConfig) {
      const withoutFile = read(args);
      const path = spec.takesConfig ? undefined : withoutFile.text('config');
      const config = path === undefined ? undefined : await readConfig(path, spec.name);
      const values = config ? read(args, config.values) : withoutFile;
      const log = await placing(values, () => openLog(spec, values));
      const failures = await openLog({ name: spec.name }, values);
      await config?.warn(log);
      const reread = async (): Promise<Values<Name | CommonName>> => {
        const again = await readConfig(String(path), spec.name);
        await again.warn(log);
        return read(args, again.values);
      };
      return {
        failures,
        run: () => placing(values, () => spec.run(values, log, config && reread)),
      };
    },
    async check(file, log) {
      const values = read(standIns(spec, file), file);
      await placing(values, async () => {
        levelOf(values);
        await spec.check?.(values, log);
      });
    },
  };
}

/** Returns what stands for an argument that neither the file nor the environment gives. */
function standIns({ argument }: CommandHelp, file: readonly FileValue[]): string[] {
  if (argument?.standIn === undefined) return [];
  const { name, standIn } = argument;
  const isGiven = file.some((value) => value.name === name);
  return isGiven || process.env[variableOf(name)] !== undefined ? [] : [standIn];
}

/** Returns the arguments of a subcommand, in their order. */
export function argumentsOf({
  argument,
  secondArgument,
}: Pick<Command, 'argument' | 'secondArgument'>): Argument[] {
  return [argument, secondArgument].filter((one) => one !== undefined);
}

/** Does something; what fails because of a line of the configuration file begins with its place. */
export async function placing<T>(values: Values<never>, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const place = values.places.find(
      (one) => error instanceof Failure && error.message.includes(` (${one})`),
    );
    if (!(error instanceof Failure) || place === undefined) throw error;
    const { exitCode } = error;
    const line = `${place}: ${error.message.replace(` (${place})`, '')}`;
    throw new Failure(line, { exitCode, cause: error });
  }
}
