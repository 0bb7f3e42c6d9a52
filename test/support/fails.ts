import { expect } from 'vitest';

import { runWsconn } from './wsconn.ts';

/** Runs the command and expects that it fails with one line on stderr, and nothing on stdout. */
export async function fails(
  args: readonly string[],
  line: RegExp,
  code = 1,
  env: NodeJS.ProcessEnv = {},
): Promise<void> {
  const ended = await runWsconn(args, { env });
  expect(ended).toEqual({
    code,
    stdout: '',
    stderr: expect.stringMatching(/^[^\n]+\n$/) as string,
  });
  expect(ended.stderr).toMatch(line);
}
