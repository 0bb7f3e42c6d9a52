import { readFileSync } from 'node:fs';

import { expect, test } from 'vitest';

import { runWsconn } from '../../../test/support/wsconn.ts';
import { nearest } from '../../src/console/nearest.ts';

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');

/** Where the README leaves out what it shows under `wsconn connect`. */
const AS_CONNECT = 'Connection options: the same as of wsconn connect\n';

/** What the README says that a command line prints: the block that begins with it. */
function blockOf(commandLine: string): string | undefined {
  const blocks = readme.matchAll(/^```text\n\$ (.*)\n([^]*?)^```$/gm);
  return [...blocks].find(([, line]) => line === commandLine)?.[2];
}

/** The connection options, as the README shows them once, under `wsconn connect`. */
const [connectionOptions = 'none'] =
  /^Connection options:\n(?: .*\n)+/m.exec(blockOf('wsconn connect --help') ?? '') ?? [];

test.each(['', 'serve ', 'connect ', 'forward ', 'ping ', 'doctor '])(
  'the README shows what wsconn %s--help prints',
  async (command) => {
    const args = `${command}--help`.split(' ');
    const { code, stdout, stderr } = await runWsconn(args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(blockOf(`wsconn ${command}--help`)?.replace(AS_CONNECT, connectionOptions)).toBe(stdout);
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThan(80);
  },
);

test('the README leaves the connection options out where the help of connect has them', () => {
  const left = ['serve', 'connect', 'forward', 'ping', 'doctor'].filter((command) =>
    blockOf(`wsconn ${command} --help`)?.includes(AS_CONNECT),
  );
  expect(left).toEqual(['forward', 'ping', 'doctor']);
});

test('without a command the help goes to stderr, with exit code 2', async () => {
  const { code, stdout, stderr } = await runWsconn([]);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toMatch(/Usage: wsconn COMMAND/);
});

test('--version prints the version of the package', async () => {
  const { version } = JSON.parse(
    readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
  ) as {
    version: string;
  };
  expect(await runWsconn(['--version'])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
});

test.each([
  ['keepalvie', 'keepalive'],
  ['keep', 'keepalive'],
  ['tokenfile', 'token-file'],
  ['tls-certs', 'tls-cert'],
  ['xyzzy', undefined],
  ['q', undefined],
])("the name nearest to '%s' is %s", (word, meant) => {
  expect(nearest(word, ['keepalive', 'token-file', 'tls-cert', 'tls-key', 'count'])).toBe(meant);
});
