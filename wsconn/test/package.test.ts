/** The two packages of this repository, which are released together. */
import { execFile } from 'node:child_process';
import { copyFile, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { expect, onTestFinished, test } from 'vitest';

import { makeFolder } from '../../test/support/folder.ts';
import { WSCONN_MAIN } from '../../test/support/wsconn.ts';

interface Manifest {
  readonly version: string;
  readonly license: string;
  readonly engines: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

async function manifest(path: string): Promise<Manifest> {
  return JSON.parse(await readFile(new URL(path, import.meta.url), 'utf8')) as Manifest;
}

test('both packages have one version, one license and one range of Node and of ws', async () => {
  const library = await manifest('../../package.json');
  const command = await manifest('../package.json');
  const shared = ({ version, license, engines, dependencies: { ws } }: Manifest): unknown => ({
    version,
    license,
    engines,
    ws,
  });
  expect(shared(command)).toEqual(shared(library));
});

test('in the repository the command links the library, and brings it along in its files', async () => {
  const { dependencies, devDependencies } = await manifest('../package.json');
  expect(devDependencies['ws-conn-adapter']).toBe('file:..');
  expect(dependencies).not.toHaveProperty('ws-conn-adapter');
});

test('a command that was not built says what to run, in one line', async () => {
  const folder = await makeFolder();
  onTestFinished(() => folder.remove());
  await mkdir(join(folder.path, 'bin'));
  const bin = join(folder.path, 'bin', 'wsconn.mjs');
  await copyFile(WSCONN_MAIN, bin);
  const run = promisify(execFile)(process.execPath, [bin, '--help']);
  await expect(run).rejects.toMatchObject({
    code: 1,
    stdout: '',
    stderr: 'wsconn: not built yet: run npm ci && npm run build in the repository\n',
  });
});
