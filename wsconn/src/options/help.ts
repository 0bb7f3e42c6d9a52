import { argumentsOf, type Command } from './command.ts';
import { COMMON_OPTIONS, type OptionSpec, type OptionSpecs, variableOf } from './options.ts';

const WIDTH = 79;
const INDENT = '  ';
const GAP = '  ';

/** Writes the help of the whole command. */
export function generalHelp(commands: readonly Command[]): string {
  const width = Math.max(...commands.map(({ name }) => name.length));
  return lines(
    'wsconn: tunnels TCP and SSH through WebSockets.',
    '',
    'Usage: wsconn COMMAND [OPTIONS]',
    '',
    'Commands:',
    ...commands.map(({ name, summary }) => `${INDENT}${name.padEnd(width)}${GAP}${summary}`),
    '',
    'wsconn COMMAND --help, -h, or wsconn help COMMAND describes each.',
    'wsconn --version or -V prints the version.',
    '',
    `Every option can be set in the environment: --tls-cert is ${variableOf('tls-cert')}.`,
    `Those of --config or ${variableOf('config')}, a YAML file, come after that.`,
    'Secrets come only from files or the environment, since everybody on the',
    `machine can read a command line. ${variableOf('token')} holds the token itself.`,
    '',
    'Data goes to stdout, everything else to stderr. The exit code is 0 on success,',
    'also when a signal stopped serve, forward or ping in order; 1 when something',
    'failed or was cut; 2 when the command line is wrong; and 128 plus the number',
    'of the signal when one interrupted the work.',
  );
}

/** Writes the help of one subcommand. */
export function commandHelp(command: Command): string {
  const { connectionOptions = {} } = command;
  const own = rowsOf({ ...command.options, ...COMMON_OPTIONS });
  const args = argumentsOf(command).map(({ name, help }) => ({
    left: name.toUpperCase(),
    text: help,
  }));
  own.unshift(...args);
  const shared = rowsOf(connectionOptions);
  return lines(
    `Usage: wsconn ${command.name} ${command.usage}`,
    '',
    capital(command.summary),
    ...(command.details.length > 0 ? ['', ...command.details] : []),
    ...section('Options:', own),
    ...section('Connection options:', shared),
    '',
    'Examples:',
    ...command.examples.map((example) => INDENT + example),
  );
}

/** Lays out options below a title: each section has columns of its own, the same for all commands. */
function section(title: string, rows: readonly Row[]): string[] {
  const width = Math.max(...rows.map(({ left }) => left.length));
  return rows.length === 0 ? [] : ['', title, ...rows.flatMap((row) => layOut(row, width))];
}

/** An option, and what it does. */
interface Row {
  readonly left: string;
  readonly text: string;
}

function rowsOf(options: OptionSpecs): Row[] {
  return Object.entries(options).map(([name, spec]) => {
    return { left: leftOf(name, spec), text: textOf(spec) };
  });
}

function lines(...all: string[]): string {
  return all.map((line) => `${line}\n`).join('');
}

function capital(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}.`;
}

function leftOf(name: string, { value }: OptionSpec): string {
  return value === undefined ? `--${name}` : `--${name} ${value}`;
}

function textOf(spec: OptionSpec): string {
  return spec.default === undefined ? spec.help : `${spec.help} (default ${spec.default})`;
}

/** Breaks a text between words, and puts its lines beside the option. */
function layOut({ left, text }: Row, width: number): string[] {
  const room = WIDTH - INDENT.length - width - GAP.length;
  const broken: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > room) {
      broken.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  broken.push(line);
  return broken.map((part, index) => INDENT + (index === 0 ? left : '').padEnd(width) + GAP + part);
}
