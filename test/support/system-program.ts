import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

import { test } from 'vitest';

/** Where Debian puts daemons, which is not on everybody's PATH. */
const SYSTEM_FOLDERS = ['/usr/sbin', '/sbin', '/usr/local/sbin'];

/** Gives the full path of a program of the system, or undefined where it is not installed. */
export function findProgram(name: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...SYSTEM_FOLDERS];
  return folders
    .map((folder) => join(folder, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/**
 * Gives vitest's `test` where all of these programs are installed. Else the tests are skipped and say why, except in CI,
 * where a missing program fails them: .ci/packages.txt names what to install.
 */
export function testWith(...names: string[]): typeof test | typeof test.skip {
  const missing = names.filter((name) => findProgram(name) === undefined);
  if (missing.length === 0) return test;
  if (process.env['CI']) throw new Error(`not installed: ${missing.join(', ')}`);
  process.stderr.write(`tests are skipped, since these are not installed: ${missing.join(', ')}\n`);
  return test.skip;
}
