import { randomBytes } from 'node:crypto';

import { isTokenName, UNNAMED } from './token-file.ts';
import { hashToken } from './token-hash.ts';
import { usageFailure } from '../console/failure.ts';
import { print } from '../console/print.ts';
import { showGiven } from '../console/secrets.ts';
import { defineCommand } from '../options/command.ts';
import type { OptionSpecs } from '../options/options.ts';
import { isTargetName } from '../tunnel/stream-header.ts';
import { appendLine } from './append-line.ts';

const OPTIONS = {
  name: { value: 'NAME', help: 'who the token is for, as the log of serve names it' },
  target: {
    value: 'NAME',
    multiple: true,
    help: 'target that it opens, / for the one without a name; may be given more than once (default all)',
  },
  file: { value: 'FILE', help: "serve's --token-file, to which to add the token's hash" },
} as const satisfies OptionSpecs;

/** Bytes of a token: nobody guesses one of these. */
const TOKEN_LENGTH = 32;

export const token = defineCommand<keyof typeof OPTIONS>({
  name: 'token',
  usage: '[--name NAME [--target NAME]... [--file FILE]]',
  summary: 'makes a token, and its hash for serve',
  details: [
    'It prints the token to stdout, for the file of the client, and nothing else.',
    'With --name it also makes the line for the file of serve, which holds the hash',
    'alone: it adds the line to --file, or shows it on stderr.',
  ],
  options: OPTIONS,
  examples: [
    'wsconn token > token',
    'wsconn token --name laptop --file /etc/wsconn/tokens > laptop.token',
    'wsconn token --name backup --target db --file tokens > backup.token',
  ],
  async run(values, log) {
    const name = values.text('name');
    const targets = values.list('target');
    const path = values.text('file');
    if (name === undefined) {
      const given = (['target', 'file'] as const).find((each) => values.text(each) !== undefined);
      if (given) throw usageFailure(`${values.nameOf(given)} needs --name NAME`);
    } else if (!isTokenName(name)) {
      throw usageFailure(
        `${values.nameOf('name')} must be up to 64 letters, digits and . _ @ + -, but is ${showGiven(name)}`,
      );
    }
    const wrong = targets.find((target) => target !== UNNAMED && !isTargetName(target));
    if (wrong !== undefined) {
      throw usageFailure(
        `${values.nameOf('target')} must be the name of a target of serve, or ${UNNAMED}, but is ${showGiven(wrong)}`,
      );
    }
    const made = makeToken();
    if (name !== undefined) {
      const fields = [name, await hashToken(made)];
      if (targets.length > 0) fields.push([...new Set(targets)].join(','));
      const line = fields.join(':');
      if (path === undefined) log.info(`line for --token-file of serve: ${line}`, { line });
      else await appendLine(path, line, values.nameOf('file'));
    }
    await print(made);
    return 0;
  },
});

/** Makes a random token that no program takes for an option. */
function makeToken(): string {
  const made = randomBytes(TOKEN_LENGTH).toString('base64url');
  return made.startsWith('-') ? makeToken() : made;
}
