import { argumentsOf, type Command } from '../options/command.ts';
import { COMMON_OPTIONS, type OptionSpec } from '../options/options.ts';

/** What a shell can complete of one subcommand. */
export interface CommandWords {
  readonly name: string;
  readonly summary: string;
  readonly options: readonly OptionWords[];
  /** What its arguments may be. */
  readonly values: ValueWords;
}

/** One option, and what may follow it. */
export interface OptionWords {
  /** Its name with the dashes. */
  readonly name: string;
  readonly help: string;
  /** What follows it; undefined for one without a value. */
  readonly values: ValueWords | undefined;
  /** Whether it may be given more than once. */
  readonly multiple: boolean;
}

/** What a value may be: one of a few words, a file, or something that a shell cannot know. */
export interface ValueWords {
  readonly choices: readonly string[];
  readonly file: boolean;
}

/** The levels of `--log-level`, whose value the help calls LEVEL. */
const LEVELS = ['error', 'warn', 'info', 'debug'];

/** Returns what a shell can complete, by subcommand; `help` is one too. */
export function wordsOf(commands: readonly Command[]): readonly CommandWords[] {
  const names = commands.map(({ name }) => name);
  const words = commands.map((command): CommandWords => {
    const { name, summary, options, connectionOptions } = command;
    const specs = Object.entries({ ...options, ...connectionOptions, ...COMMON_OPTIONS });
    const args = argumentsOf(command);
    return {
      name,
      summary,
      options: specs.map(([option, spec]) => optionWords(option, spec)),
      values: {
        choices: args.flatMap(({ choices = [] }) => choices),
        file: args.some(({ file = false }) => file),
      },
    };
  });
  const help = { name: 'help', summary: 'describes a command', options: [] };
  return [...words, { ...help, values: { choices: names, file: false } }];
}

function optionWords(name: string, { value, help, multiple = false }: OptionSpec): OptionWords {
  return { name: `--${name}`, help, values: valueWords(value), multiple };
}

function valueWords(value: string | undefined): ValueWords | undefined {
  if (value === undefined) return undefined;
  if (value === 'LEVEL') return { choices: LEVELS, file: false };
  const isChoice = value.includes('|');
  return { choices: isChoice ? value.split('|') : [], file: value === 'FILE' };
}
