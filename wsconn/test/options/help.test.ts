import { readFileSync } from 'node:fs';

import { expect, test } from 'vitest';

import { runWsconn } from '../../../test/support/wsconn.ts';
import { nearest } from '../../src/console/nearest.ts';

const COMMANDS = ['serve', 'connect', 'forward', 'ping', 'doctor', 'token', 'check', 'completion'];

const readme = readFileSync(new URL('../../docs/commands.md', import.meta.url), 'utf8');

/** Where the documentation leaves out what it shows under `wsconn connect`. */
const AS_CONNECT = 'Connection options: the same as of wsconn connect\n';

/** What the documentation says that a command line prints: the block that begins with it. */
function blockOf(commandLine: string): string | undefined {
  const blocks = readme.matchAll(/^```text\n\$ (.*)\n([^]*?)^```$/gm);
  return [...blocks].find(([, line]) => line === commandLine)?.[2];
}

/** The connection options, as the documentation shows them once, under `wsconn connect`. */
const [connectionOptions = 'none'] =
  /^Connection options:\n(?: .*\n)+/m.exec(blockOf('wsconn connect --help') ?? '') ?? [];

test.each(['', ...COMMANDS.map((name) => `${name} `)])(
  'the documentation shows what wsconn %s--help prints',
  async (command) => {
    const args = `${command}--help`.split(' ');
    const { code, stdout, stderr } = await runWsconn(args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(blockOf(`wsconn ${command}--help`)?.replace(AS_CONNECT, connectionOptions)).toBe(stdout);
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThan(80);
  },
);

test('the documentation leaves the connection options out where the help of connect has them', () => {
  const left = COMMANDS.filter((command) =>
    blockOf(`wsconn ${command} --help`)?.includes(AS_CONNECT),
  );
  expect(left).toEqual(['forward', 'ping', 'doctor']);
});

test('without a command the help goes to stderr, with exit code 2', async () => {
  const { code, stdout, stderr } = await runWsconn([]);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toMatch(/Usage: wsconn COMMAND/);
});

test('the commands here are those of the general help', async () => {
  const { stdout } = await runWsconn(['--help']);
  const [, table = ''] = /^Commands:\n((?: .*\n)+)/m.exec(stdout) ?? [];
  expect([...table.matchAll(/^ +(\w+)/gm)].map(([, name]) => name)).toEqual(COMMANDS);
});

test.each(COMMANDS)('of %s, help, --help and -h are the same', async (command) => {
  const [help, long, short] = await Promise.all(
    [
      ['help', command],
      [command, '--help'],
      [command, '-h'],
    ].map((args) => runWsconn(args)),
  );
  expect(help).toEqual(long);
  expect(short).toEqual(long);
});

test.each([[['help']], [['-h']], [['help', '--help']]])('%j is the general help', async (args) => {
  expect(await runWsconn(args)).toEqual(await runWsconn(['--help']));
});

test.each([
  [['help', 'serev'], "there is no command 'serev': did you mean serve?"],
  [['help', 'serve', 'x'], "'x' is one argument too many"],
  [['--hepl'], "there is no option '--hepl' before a command: did you mean --help?"],
  [
    ['--listen', ':1'],
    "there is no option '--listen' before a command: options come after the command",
  ],
])('%j is one line, with exit code 2', async (args, line) => {
  const { code, stdout, stderr } = await runWsconn(args);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toBe(`wsconn${args[0] === 'help' ? ' help' : ''}: ${line}\n`);
});

test('--version and -V, also after a command, print the version of the package', async () => {
  const { version } = JSON.parse(
    readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
  ) as {
    version: string;
  };
  for (const args of [['--version'], ['-V'], ['serve', '-V'], ['connect', '--version']]) {
    expect(await runWsconn(args)).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
  }
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
