import type { Command } from './command.ts';
import { COMMON_OPTIONS, type OptionSpec, variableOf } from './options.ts';

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
    'wsconn COMMAND --help tells more of each; wsconn --version prints the version.',
    '',
    `Every option can come from the environment: --tls-cert is ${variableOf('tls-cert')}.`,
    'Secrets come from files or the environment only: a command line can be read',
    `by everybody on the machine. ${variableOf('token')} holds a token itself.`,
    '',
    'Data goes to stdout, everything else to stderr. The exit code is 0 when all',
    'went well, also when a signal ended serve, forward or ping in order; 1 when',
    'something failed or was cut; 2 when the command line is wrong; and 128 plus',
    'its number when a signal broke off what was to be done.',
  );
}

/** Writes the help of one subcommand. */
export function commandHelp(command: Command): string {
  const rows = Object.entries({ ...command.options, ...COMMON_OPTIONS }).map(([name, spec]) => {
    return { left: leftOf(name, spec), text: textOf(spec) };
  });
  const { argument } = command;
  if (argument) rows.unshift({ left: argument.name.toUpperCase(), text: argument.help });
  const width = Math.max(...rows.map(({ left }) => left.length));
  return lines(
    `Usage: wsconn ${command.name} ${command.usage}`,
    '',
    capital(command.summary),
    ...(command.details.length > 0 ? ['', ...command.details] : []),
    '',
    'Options:',
    ...rows.flatMap(({ left, text }) => row(left, text, width)),
    '',
    'Examples:',
    ...command.examples.map((example) => INDENT + example),
  );
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

/** Breaks a text between words, and sets its lines beside the option. */
function row(left: string, text: string, width: number): string[] {
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
