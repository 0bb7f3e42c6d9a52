import type { CommandWords, OptionWords, ValueWords } from './words.ts';

/** Writes the completion for fish: a file for its folder of completions. */
export function fishScript(commands: readonly CommandWords[]): string {
  const names = commands.map(({ name }) => name).join(' ');
  const lines = [
    '# Completes wsconn in fish: wsconn completion fish > ~/.config/fish/completions/wsconn.fish',
    'complete -c wsconn -f',
    ...commands.map(({ name, summary }) =>
      line(`not __fish_seen_subcommand_from ${names}`, `-a ${name} -d ${quote(summary)}`),
    ),
    line(`not __fish_seen_subcommand_from ${names}`, "-s h -l help -d 'print the help'"),
    line(`not __fish_seen_subcommand_from ${names}`, "-s V -l version -d 'print the version'"),
    ...commands.flatMap(commandLines),
  ];
  return lines.map((one) => `${one}\n`).join('');
}

function commandLines({ name, options, values }: CommandWords): string[] {
  const condition = `__fish_seen_subcommand_from ${name}`;
  const { choices, file } = values;
  return [
    ...options.map((option) => line(condition, optionWords(option))),
    ...(choices.length > 0 ? [line(condition, `-a ${quote(choices.join(' '))}`)] : []),
    ...(file ? [line(condition, '-F')] : []),
  ];
}

function optionWords({ name, help, values }: OptionWords): string {
  const value = values ? ` ${valueWords(values)}` : '';
  return `-l ${name.slice(2)}${value} -d ${quote(help)}`;
}

/** Writes what follows an option: it must be one of a few words, a file, or is not known. */
function valueWords({ choices, file }: ValueWords): string {
  if (choices.length > 0) return `-x -a ${quote(choices.join(' '))}`;
  return file ? '-r -F' : '-x';
}

function line(condition: string, what: string): string {
  return `complete -c wsconn -n ${quote(condition)} ${what}`;
}

function quote(text: string): string {
  return `'${text.replaceAll(/['\\]/g, '\\$&')}'`;
}
