import type { CommandWords, OptionWords, ValueWords } from './words.ts';

/**
 * Writes the completion for bash, for any version since 3.2, which macOS has. It uses builtins
 * alone.
 */
export function bashScript(commands: readonly CommandWords[]): string {
  const names = commands.map(({ name }) => name).join(' ');
  return `# Completes wsconn in bash: source <(wsconn completion bash)
_wsconn() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} words='' files=''
  COMPREPLY=()
  # In --option=value the = is a word of its own.
  if [[ $word == '=' ]]; then
    word=''
  elif [[ $before == '=' ]]; then
    before=\${COMP_WORDS[COMP_CWORD-2]}
  fi
  if (( COMP_CWORD == 1 )); then
    words='${names} --help --version'
  else
    case "\${COMP_WORDS[1]} $before" in
${commands.flatMap(valueCases).join('\n')}
      *)
        case \${COMP_WORDS[1]} in
${commands.map(commandCase).join('\n')}
        esac ;;
    esac
  fi
  # No name of an option or of a command has a space.
  local IFS=$' \\t\\n'
  COMPREPLY=($(compgen -W "$words" -- "$word"))
  if [[ -n $files ]]; then
    local IFS=$'\\n'
    COMPREPLY+=($(compgen -f -- "$word"))
    compopt -o filenames 2>/dev/null
  fi
}
complete -F _wsconn wsconn
`;
}

/** Writes what follows the options of a command that have a value. */
function valueCases({ name, options }: CommandWords): string[] {
  const patternOf = (some: readonly OptionWords[]): string =>
    some.map((option) => `'${name} ${option.name}'`).join('|');
  const withValue = options.filter(({ values }) => values !== undefined);
  const groups = new Map<string, OptionWords[]>();
  for (const option of withValue) {
    const what = option.values ? assignment(option.values) : '';
    groups.set(what, [...(groups.get(what) ?? []), option]);
  }
  return [...groups].map(([what, some]) => `      ${patternOf(some)}) ${what} ;;`);
}

function commandCase({ name, options, values }: CommandWords): string {
  const words = [...options.map((option) => option.name), ...values.choices].join(' ');
  return `          ${name}) words='${words}'${values.file ? ' files=yes' : ''} ;;`;
}

function assignment({ choices, file }: ValueWords): string {
  if (file) return 'files=yes';
  return choices.length > 0 ? `words='${choices.join(' ')}'` : ':';
}
