import type { CommandWords, OptionWords, ValueWords } from './words.ts';

/** Writes the completion for zsh: a file for a folder of its fpath. */
export function zshScript(commands: readonly CommandWords[]): string {
  return `#compdef wsconn
# Completes wsconn in zsh: wsconn completion zsh > "\${fpath[1]}/_wsconn"
_wsconn() {
  local curcontext=$curcontext state line
  typeset -A opt_args
  _arguments -C \\
    '(- *)'{-h,--help}'[print the help]' \\
    '(- *)'{-V,--version}'[print the version]' \\
    '1:command:->command' \\
    '*::argument:->argument'
  case $state in
    command)
      local -a commands=(
${commands.map(({ name, summary }) => `        ${quote(`${name}:${summary}`)}`).join('\n')}
      )
      _describe command commands ;;
    argument)
      case $line[1] in
${commands.map(commandCase).join('\n')}
      esac ;;
  esac
}
if [[ $funcstack[1] == _wsconn ]]; then
  _wsconn "$@"
else
  compdef _wsconn wsconn
fi
`;
}

function commandCase({ name, options, values }: CommandWords): string {
  const specs = [...options.map(specOf), quote(`*:argument:${actionOf(values)}`)];
  return [
    `        ${name})`,
    `          _arguments \\`,
    specs.map((spec) => `            ${spec}`).join(' \\\n'),
  ]
    .join('\n')
    .concat(' ;;');
}

/** Writes an option as _arguments takes it: the value may follow in the next word or behind =. */
function specOf({ name, help, values, multiple }: OptionWords): string {
  const shown = help.replaceAll(/[[\]\\:]/g, '\\$&');
  const value = values ? `:value:${actionOf(values)}` : '';
  return quote(`${multiple ? '*' : ''}${name}${values ? '=' : ''}[${shown}]${value}`);
}

function actionOf({ choices, file }: ValueWords): string {
  if (choices.length > 0) return `(${choices.join(' ')})`;
  return file ? '_files' : ' ';
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
