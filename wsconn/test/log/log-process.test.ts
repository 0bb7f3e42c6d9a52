import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { makeFolder } from '../../../test/support/folder.ts';
import { echo, target } from '../../../test/support/peers/target.ts';
import { serve } from '../../../test/support/wsconn.ts';

let folder: Awaited<ReturnType<typeof makeFolder>>;

beforeAll(async () => {
  folder = await makeFolder();
});
afterAll(() => folder.remove());

/** Starts `serve` with a module that does something as soon as it listens. */
async function serveWith(code: string, args: readonly string[]) {
  const path = join(folder.path, 'fault.mjs');
  const wait = "process.on('SIGUSR2', () => {";
  await writeFile(path, `${wait}${code}});\n`);
  const { program } = await serve(await target(echo), args, {
    env: { NODE_OPTIONS: `--import=${path}`, WSCONN_TOKEN: 'open-sesame' },
  });
  program.kill('SIGUSR2');
  return program;
}

const THROW = "throw new TypeError('a fault with open-sesame \\u001b[31m');";

test.each([[[]], [['--log-format', 'json']]])(
  'an error that nobody has caught is in the log, without secrets, and ends it (%j)',
  async (args) => {
    const program = await serveWith(THROW, args);
    const { code, stderr } = await program.ended;
    expect(code).toBe(1);
    expect(stderr).toMatch(/this is a fault of wsconn, please report it: .*a fault with \*\*\*/);
    expect(stderr).toMatch(/fault\.mjs/);
    expect(stderr).not.toContain('open-sesame');
    expect(stderr).not.toContain('\u001b');
    if (args.length > 0) for (const line of stderr.trimEnd().split('\n')) JSON.parse(line);
  },
);

test('a warning of Node is a line of the log', async () => {
  const program = await serveWith("process.emitWarning('watch out');", ['--log-format', 'json']);
  const [line] = await program.prints(/^.*watch out.*$/m);
  expect(JSON.parse(line)).toMatchObject({ level: 'warn', msg: 'Warning of Node: watch out' });
});
