import { print } from '../console/print.ts';
import { usageFailure } from '../console/failure.ts';
import { nearest } from '../console/nearest.ts';
import { showGiven } from '../console/secrets.ts';
import { type Command, defineCommand } from '../options/command.ts';
import { bashScript } from './bash.ts';
import { fishScript } from './fish.ts';
import { wordsOf } from './words.ts';
import { zshScript } from './zsh.ts';

const SHELLS = { bash: bashScript, zsh: zshScript, fish: fishScript } as const;

const NAMES = Object.keys(SHELLS);

/** Makes the subcommand that prints what completes command lines in a shell. */
export function makeCompletion(loadCommands: () => Promise<readonly Command[]>): Command {
  return defineCommand<'shell'>({
    name: 'completion',
    usage: NAMES.join('|'),
    summary: 'prints a script that completes command lines in a shell',
    details: ['The script runs no program when it completes, also not wsconn.'],
    argument: { name: 'shell', help: NAMES.join(', '), choices: NAMES },
    options: {},
    examples: [
      'source <(wsconn completion bash)',
      'wsconn completion zsh > "${fpath[1]}/_wsconn"',
      'wsconn completion fish > ~/.config/fish/completions/wsconn.fish',
    ],
    async run(values) {
      const name = values.required('shell');
      const script = Object.hasOwn(SHELLS, name) ? SHELLS[name as keyof typeof SHELLS] : undefined;
      if (!script) throw unknownShell(name);
      await print(script(wordsOf(await loadCommands())).trimEnd());
      return 0;
    },
  });
}

function unknownShell(name: string): Error {
  const meant = nearest(name, NAMES);
  const hint = meant === undefined ? `there are ${NAMES.join(', ')}` : `did you mean ${meant}?`;
  return usageFailure(`there is no completion for the shell ${showGiven(name)}: ${hint}`);
}
