/** The real shells complete command lines by the scripts, and run nothing for that. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { makeFolder } from '../../../test/support/folder.ts';
import { describeWith } from '../../../test/support/programs/program.ts';
import { WSCONN_MAIN } from '../../../test/support/wsconn.ts';

let folder: Awaited<ReturnType<typeof makeFolder>>;
let scripts: Readonly<Record<string, string>>;

beforeAll(async () => {
  folder = await makeFolder();
  const made = ['bash', 'zsh', 'fish'].map((shell) => {
    const path = join(folder.path, `_wsconn.${shell}`);
    writeFileSync(path, execFileSync(process.execPath, [WSCONN_MAIN, 'completion', shell]));
    return [shell, path] as const;
  });
  scripts = Object.fromEntries(made);
  writeFileSync(join(folder.path, 'token one'), '');
  mkdirSync(join(folder.path, 'tokens'));
});
afterAll(() => folder.remove());

/** Runs a shell in the folder, without a program to run: PATH is empty. */
function run(shell: string, args: readonly string[], variables: NodeJS.ProcessEnv = {}): string[] {
  const env = { HOME: folder.path, TERM: 'xterm', LC_ALL: 'C.UTF-8', PATH: '', ...variables };
  const options = { cwd: folder.path, env, encoding: 'utf8', timeout: 20_000 } as const;
  const output = execFileSync(shell, [...args], options);
  return output.split('\n').filter((line) => line !== '');
}

/** What to complete, the last word of it last, and what must be offered, among others or alone. */
const CASES: [line: string[], offered: string[], exactly: boolean][] = [
  [['se'], ['serve'], true],
  [[''], ['serve', 'connect', 'forward', 'ping', 'doctor', 'check', 'completion', 'help'], false],
  [['serve', '--tls-c'], ['--tls-cert', '--tls-client-ca'], true],
  [['serve', '--no-auth', '--to'], ['--to', '--token-file'], true],
  [['forward', '--mu'], ['--mux'], true],
  [['connect', '--resu'], ['--resume', '--resume-give-up', '--resume-rotate'], true],
  [['connect', '--log-format', ''], ['text', 'json'], true],
  [['connect', '--log-level', 'd'], ['debug'], true],
  [['help', 'fo'], ['forward'], true],
  [['completion', 'z'], ['zsh'], true],
];

describeWith('bash', 'bash', (bash) => {
  /** Asks the function that the script defines, as readline does. */
  function complete(words: readonly string[]): string[] {
    const code = `source "$0"; COMP_WORDS=(wsconn "$@"); COMP_CWORD=$#
_wsconn; printf '%s\\n' "\${COMPREPLY[@]}"`;
    return run(bash, ['--norc', '-c', code, scripts['bash'] ?? '', ...words]);
  }

  test.each(CASES)('%j completes to %j', (line, offered, exactly) => {
    const found = complete(line);
    expect(found).toEqual(exactly ? offered : expect.arrayContaining(offered));
  });

  test('files follow options that take one, also behind =', () => {
    expect(complete(['serve', '--token-file', 'tok']).sort()).toEqual(['token one', 'tokens']);
    expect(complete(['serve', '--token-file', '=', 'tok']).sort()).toEqual(['token one', 'tokens']);
    expect(complete(['serve', '--token-file', '=']).length).toBeGreaterThan(3);
    expect(complete(['check', 'tok']).sort()).toEqual(['token one', 'tokens']);
    expect(complete(['serve', '--listen', ''])).toEqual([]);
  });

  test('the script is registered, and what was typed is not run', () => {
    expect(
      run(bash, ['--norc', '-c', `source "$0"; complete -p wsconn`, scripts['bash'] ?? '']),
    ).toEqual(['complete -F _wsconn wsconn']);
    expect(complete(['serve', '--token-file', '$(echo tok >&2; echo tok)'])).toEqual([]);
  });
});

describeWith('fish', 'fish', (fish) => {
  function complete(words: readonly string[]): string[] {
    const line = ['wsconn', ...words].join(' ');
    const code = `source ${scripts['fish'] ?? ''}; complete -C '${line}'`;
    const found = run(fish, ['--no-config', '-c', code]);
    return found.map((one) => one.split('\t')[0] ?? '');
  }

  test.each(CASES)('%j completes to %j', (line, offered, exactly) => {
    const found = complete(line);
    expect(found.toSorted()).toEqual(
      exactly ? offered.toSorted() : expect.arrayContaining(offered),
    );
  });

  test('files follow options that take one, and no others', () => {
    expect(complete(['serve', '--token-file', 'tok'])).toEqual(['token one', 'tokens/']);
    expect(complete(['check', 'tok'])).toEqual(['token one', 'tokens/']);
    expect(complete(['serve', '--listen', 'tok'])).toEqual([]);
  });
});

/** Of the zsh that completes: writes what it would insert into a file, and ends. */
const INNER = `autoload -Uz compinit; compinit -u -D
source $PWD/_wsconn.zsh
compadd() {
  if [[ \${@[(I)-[OAD]]} -gt 0 ]]; then builtin compadd "$@"; return; fi
  typeset -a found
  builtin compadd -O found "$@"
  (( \${#found} )) && print -rl -- "\${(@Q)found}" >> $PWD/found
  builtin compadd "$@"
}
complete-and-end() { zle complete-word; print -r -- DO''NE }
zle -N complete-and-end
bindkey '^I' complete-and-end
`;

/** Of the zsh that types: $0 is the shell, $1 the line. */
const OUTER = `zmodload zsh/zpty
zpty shell "$0 -f -i"
zpty -w shell 'source $PWD/inner.zsh; print -r -- REA""DY'
zpty -r shell output '*READY*'
zpty -w -n shell "$1"$'\\t'
zpty -r shell output '*DONE*'
zpty -d shell
`;

describeWith('zsh', 'zsh', (zsh) => {
  /** Has a zsh on a terminal of its own complete a line, and list what it finds. */
  function complete(words: readonly string[]): string[] {
    writeFileSync(join(folder.path, 'inner.zsh'), INNER);
    writeFileSync(join(folder.path, 'found'), '');
    run(zsh, ['-f', '-c', OUTER, zsh, ['wsconn', ...words].join(' ')]);
    const found = readFileSync(join(folder.path, 'found'), 'utf8');
    return found.split('\n').filter((one) => one !== '');
  }

  describe('offers', () => {
    test.each(CASES)('for %j %j', (line, offered, exactly) => {
      const found = [...new Set(complete(line))];
      if (!exactly) expect(found).toEqual(expect.arrayContaining(offered));
      else expect(found.toSorted()).toEqual(offered.toSorted());
    });

    test('files after options that take one', () => {
      expect(complete(['serve', '--token-file', 'tok'])).toEqual(['token one', 'tokens']);
      expect(complete(['check', 'tok'])).toEqual(['token one', 'tokens']);
    });
  });
});
