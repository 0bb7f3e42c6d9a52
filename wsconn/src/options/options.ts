import { usageFailure } from '../console/failure.ts';
import { showGiven } from '../console/secrets.ts';
import { fromCommandLine } from './command-line.ts';
import type { OptionSpec, OptionSpecs } from './option-spec.ts';
import { type FileValue, type Given, type Source, valuesOfFile } from './given.ts';

export type { Source } from './given.ts';

export type { OptionSpec, OptionSpecs } from './option-spec.ts';

/** Options that every subcommand has. */
export const COMMON_OPTIONS = {
  config: { value: 'FILE', help: 'file with options (YAML); those given otherwise win' },
  'log-format': { value: 'text|json', default: 'text', help: 'how each line of the log looks' },
  'log-level': { value: 'LEVEL', help: 'least to log: error, warn, info, debug (default info)' },
  verbose: { help: 'log more, and the stacks of errors: --log-level debug' },
  help: { help: 'print this help' },
} as const satisfies OptionSpecs;

export type CommonName = keyof typeof COMMON_OPTIONS;

export const PREFIX = 'WSCONN_';
const YES = new Set(['1', 'true', 'yes', 'on']);
const NO = new Set(['0', 'false', 'no', 'off']);

/**
 * Returns the environment variable of an option or an argument: `WSCONN_TLS_CERT` of `--tls-cert`.
 */
export function variableOf(name: string): string {
  return PREFIX + name.toUpperCase().replaceAll('-', '_');
}

/** Returns whether the variable of an option without a value turns it on. */
export function isYes(text: string | undefined): boolean {
  return YES.has(text?.toLowerCase() ?? '');
}

/** Names of the options in the order in which each source gives them. */
type Orders = Readonly<Partial<Record<Source, readonly string[]>>>;

/**
 * The values of a subcommand's options and arguments: from the command line, else from the
 * environment, else from the configuration file, else the defaults.
 */
export class Values<Name extends string> {
  readonly #given: ReadonlyMap<string, Given>;
  readonly #arguments: readonly string[];
  readonly #orders: Orders;

  constructor(
    given: ReadonlyMap<string, Given>,
    args: readonly string[] = [],
    orders: Orders = {},
  ) {
    this.#given = given;
    this.#arguments = args;
    this.#orders = orders;
  }

  /** Returns the value of an option, or undefined where there is none. */
  text(name: Name): string | undefined {
    return this.#given.get(name)?.values.at(-1);
  }

  /** Returns the value of an option or argument that must be given. */
  required(name: Name): string {
    const value = this.text(name);
    if (value === undefined) {
      throw usageFailure(`${this.nameOf(name)} is missing: give it, or set ${variableOf(name)}`);
    }
    return value;
  }

  /** Returns all values of an option that may be given more than once. */
  list(name: Name): readonly string[] {
    return this.#given.get(name)?.values ?? [];
  }

  /** Returns whether an option without a value is on. */
  flag(name: Name): boolean {
    return this.text(name) !== undefined;
  }

  /** Returns an option in seconds as milliseconds, or undefined where there is none. */
  milliseconds(name: Name, least = 0): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const seconds = Number(text);
    // The most is what Node's timers can hold.
    if (!/^\d*\.?\d+$/.test(text) || seconds < least || seconds > 2_147_483) {
      throw usageFailure(
        `${this.nameOf(name)} must be seconds, at least ${String(least)}, but is ${showGiven(text)}`,
      );
    }
    return Math.round(seconds * 1000);
  }

  /** Returns an option that is a whole number, or undefined where there is none. */
  count(name: Name, least = 1): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const count = Number(text);
    if (!/^\d+$/.test(text) || count < least || !Number.isSafeInteger(count)) {
      throw usageFailure(
        `${this.nameOf(name)} must be a whole number, at least ${String(least)}, but is ${showGiven(text)}`,
      );
    }
    return count;
  }

  /** Returns the names of the options in their order, each as often as it was given there. */
  order(source: Source): readonly string[] {
    return this.#orders[source] ?? [];
  }

  /** Returns where the value of an option came from. */
  source(name: Name): Source {
    return this.#given.get(name)?.source ?? 'default';
  }

  /**
   * Returns the name by which the user gave the option, for messages.
   * @param index - which of its values it is about, where it has several
   */
  nameOf(name: Name, index = 0): string {
    if (this.source(name) === 'environment') return variableOf(name);
    const place = this.#given.get(name)?.places?.[index];
    if (place !== undefined) return `${name} (${place})`;
    return this.#arguments.includes(name) ? name.toUpperCase() : `--${name}`;
  }

  /** Where a file gives the options that it gives: FILE:LINE:COLUMN. */
  get places(): readonly string[] {
    return [...this.#given.values()].flatMap(({ places = [] }) => places);
  }

  /** Returns the names of the options that have other values than they have here. */
  changesTo(other: Values<never>): readonly string[] {
    const shown = (values: Values<never>, name: string): string =>
      JSON.stringify(values.#given.get(name)?.values ?? []);
    const names = new Set([...this.#given.keys(), ...other.#given.keys()]);
    return [...names].filter((name) => shown(this, name) !== shown(other, name));
  }
}

/**
 * Reads a subcommand's options and its arguments.
 * @param argument - names of the arguments in their order, such as 'url'
 * @param file - what a configuration file gives
 */
export function readOptions<Name extends string, Argument extends string = never>(
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
  specs: Readonly<Record<Name, OptionSpec>>,
  argument: Argument | readonly Argument[] = [],
  file: readonly FileValue[] = [],
): Values<Name | Argument | keyof typeof COMMON_OPTIONS> {
  const all: OptionSpecs = { ...specs, ...COMMON_OPTIONS };
  const names: readonly string[] = [argument].flat();
  const given = new Map<string, Given>();
  for (const [name, spec] of Object.entries(all)) {
    const fallback = fromDefault(spec);
    if (fallback) given.set(name, fallback);
  }
  for (const [name, value] of valuesOfFile(file)) given.set(name, value);
  const argumentSpecs = names.map((name) => [name, { value: '' }] as const);
  for (const [name, spec] of [...Object.entries(all), ...argumentSpecs]) {
    const value = fromEnvironment(name, spec, environment);
    if (value) given.set(name, value);
  }
  const order: string[] = [];
  for (const [name, values] of fromCommandLine(args, all, names, order)) {
    given.set(name, { values, source: 'command line' });
  }
  const ofFile = file.map(({ name }) => name);
  return new Values(given, names, { 'command line': order, file: ofFile });
}

/**
 * Returns the value of an environment variable, or undefined where it is not set. Set and empty is
 * an error: it looks like a setting, and would be none.
 */
export function valueOf(variable: string, environment: NodeJS.ProcessEnv): string | undefined {
  const text = environment[variable];
  if (text?.trim() === '') {
    throw usageFailure(`${variable} is set and empty: give it a value, or unset it`);
  }
  return text;
}

function fromDefault(spec: OptionSpec): Given | undefined {
  return spec.default === undefined ? undefined : { values: [spec.default], source: 'default' };
}

function fromEnvironment(
  name: string,
  spec: Pick<OptionSpec, 'multiple' | 'value'>,
  environment: NodeJS.ProcessEnv,
): Given | undefined {
  const variable = variableOf(name);
  const text = valueOf(variable, environment);
  if (text === undefined) return undefined;
  if (spec.multiple) {
    return { values: text.split('\n').filter((line) => line !== ''), source: 'environment' };
  }
  if (spec.value !== undefined) return { values: [text], source: 'environment' };
  if (isYes(text)) return { values: ['yes'], source: 'environment' };
  if (NO.has(text.toLowerCase())) return { values: [], source: 'environment' };
  throw usageFailure(`${variable} must be yes or no, but is ${showGiven(text)}`);
}
