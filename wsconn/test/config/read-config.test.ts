/** What a configuration file may say, and what is told of one that is wrong. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { makeFolder } from '../../../test/support/folder.ts';
import { Failures } from '../../src/console/failure.ts';
import { loadCommands } from '../../src/commands.ts';
import { readConfig } from '../../src/config/read-config.ts';
import { defineCommand } from '../../src/options/command.ts';
import { readOptions } from '../../src/options/options.ts';

/** A command whose options can be grouped. */
const pairs = defineCommand<'listen' | 'to'>({
  name: 'pairs',
  usage: '',
  summary: '',
  details: [],
  options: {
    listen: { value: 'HOST:PORT', multiple: true, beside: ['to'], help: '' },
    to: { value: 'NAME', multiple: true, help: '' },
  },
  examples: [],
  run: () => Promise.resolve(0),
});

let folder: Awaited<ReturnType<typeof makeFolder>>;
let path: string;

beforeAll(async () => {
  folder = await makeFolder();
  path = join(folder.path, 'c.yaml');
});
afterAll(() => folder.remove());

/** Reads a file for a command; returns [option, value, LINE:COLUMN] of each value. */
async function read(text: string, command = 'serve'): Promise<unknown[][]> {
  await writeFile(path, text, { mode: 0o600 });
  const { values } = await readConfig(path, command, [...(await loadCommands()), pairs]);
  return values.map(({ name, value, place }) => [name, value, place.slice(path.length + 1)]);
}

/** Does as `read()` does, without the places. */
async function valuesIn(text: string, command: string): Promise<unknown[][]> {
  return (await read(text, command)).map((row) => row.slice(0, 2));
}

/** Returns what is told of a file, a line each, without its path. */
async function problems(text: string): Promise<string[]> {
  const error: unknown = await read(text).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof Failures)) throw new Error(`not refused: ${text}`, { cause: error });
  expect(error.exitCode).toBe(2);
  for (const line of error.lines) expect(line.slice(0, path.length + 1)).toBe(`${path}:`);
  return error.lines.map((line) => line.slice(path.length + 1));
}

describe('a configuration file', () => {
  test('gives options in its order, lists, maps, numbers and booleans', async () => {
    const text = `
serve:
  listen: :8080
  to:
    ssh: 22
    db: unix:/run/db
  allow-origin: [https://a.example, '*']
  keepalive: 1.50
  max-payload: 0x100
  no-auth: true
  verbose: false
`;
    expect(await read(text)).toEqual([
      ['listen', ':8080', '3:11'],
      ['to', 'ssh=22', '5:10'],
      ['to', 'db=unix:/run/db', '6:9'],
      ['allow-origin', 'https://a.example', '7:18'],
      ['allow-origin', '*', '7:37'],
      ['keepalive', '1.50', '8:14'],
      ['max-payload', '256', '9:16'],
      ['no-auth', 'yes', '10:12'],
      ['verbose', undefined, '11:12'],
    ]);
  });

  test('may be JSON, have line ends of Windows, and a byte order mark', async () => {
    expect(await read('{"serve": {"to": ["a=:1", "b=:2"]}}')).toEqual([
      ['to', 'a=:1', '1:19'],
      ['to', 'b=:2', '1:27'],
    ]);
    expect(await read('\uFEFFserve:\r\n  to: :1\r\n')).toEqual([['to', ':1', '2:7']]);
  });

  test('serves several commands, and gives each its own', async () => {
    const text = 'serve: {to: :1}\nforward:\n  url: ws://h\n  header: {X-A: 1, X-B: b c}\nping:\n';
    expect(await valuesIn(text, 'forward')).toEqual([
      ['url', 'ws://h'],
      ['header', 'X-A: 1'],
      ['header', 'X-B: b c'],
    ]);
    expect(await read(text, 'ping')).toEqual([]);
    expect(await read(text, 'doctor')).toEqual([]);
  });

  test('groups options as the command line orders them', async () => {
    const text =
      'pairs:\n  listen:\n    - {to: a, listen: :1}\n    - :2\n    - {listen: :3, to: c}\n';
    expect(await read(text, 'pairs')).toEqual([
      ['listen', ':1', '3:23'],
      ['to', 'a', '3:12'],
      ['listen', ':2', '4:7'],
      ['listen', ':3', '5:16'],
      ['to', 'c', '5:24'],
    ]);
    expect(await read('pairs: {listen: {listen: :1, to: a}}', 'pairs')).toHaveLength(2);
  });

  test('shares values by anchors', async () => {
    const text = 'connect: &c {url: ws://h, header: &h [a: 1]}\nping: {header: *h}\ndoctor: *c\n';
    expect(await problems(text)).toEqual(["1:39: header needs 'NAME: VALUE'"]);
    expect(await valuesIn('connect: &c {url: ws://h}\nping: *c\n', 'ping')).toEqual([
      ['url', 'ws://h'],
    ]);
  });
});

describe('a wrong configuration file', () => {
  test.each([
    ['serve: {listne: 1}', ['1:9: serve has no option "listne": did you mean listen?']],
    ['serve: {--listen: 1}', ['1:9: serve has no option "--listen": did you mean listen?']],
    ['serve: {config: x}', ['1:9: config belongs on the command line, not in a file']],
    ['sevre: {}', ['1:1: there is no command "sevre": did you mean serve?']],
    ['check: {}', [/^1:1: there is no command "check": there are serve, /]],
    ['listen: :1', [/^1:1: there is no command "listen": an option stands below the name of its/]],
    ['serve: x', [/^1:8: serve is a map: write its options below it, indented/]],
    ['- serve', [/^1:1: it is no map: write the name of a command/]],
    ['# nothing', [/^1:1: it holds nothing: write/]],
    ['{}', [/^1:1: it holds nothing: write/]],
    ['serve: {no-auth: yes}', ["1:18: no-auth must be true or false, but is 'yes'"]],
    ['serve: {listen: true}', ['1:17: listen needs HOST:PORT, not true']],
    ['serve: {listen: [:1]}', ['1:17: listen is no list: give HOST:PORT']],
    ['serve: {listen: {a: b}}', ['1:17: listen takes no map: give HOST:PORT']],
    ['serve: {listen: }', ['1:17: listen has no value: give it one, or leave it out']],
    ["serve: {listen: ''}", ['1:17: listen has no value: give it one, or leave it out']],
    ['serve: {to: []}', ['1:13: to is an empty list: give it a value, or leave it out']],
    ['serve: {to: [[a]]}', ['1:14: to needs [NAME=]HOST:PORT']],
    ['serve: {drain: soon}', ["1:16: drain must be seconds, but is 'soon'"]],
    ['serve: {max-streams: -1}', ["1:22: max-streams must be a whole number, but is '-1'"]],
    ['serve: {log-format: xml}', ["1:21: log-format must be text or json, but is 'xml'"]],
    ['serve: {? [a] : b}', ['1:11: a key is the name of an option']],
    ['serve:\n  listen: :1\n  listen: :2\n', [/^3:3: this is given twice/]],
    ['serve: {}\nserve: {}\n', [/^2:1: this is given twice/]],
    ['serve:\n\tlisten: :1\n', [/^2:1: a tab: YAML is indented with spaces/]],
    ['serve: {}\n---\nserve: {}\n', [/^2:1: a second document begins/]],
    ['serve: {to: *a}', [/^1:13: there is no anchor of that name/]],
    ['serve:\n  allow-origin: *\n', [/^2:17: /]],
    ['ping: {<<: {count: 1}}', [/^1:8: merge keys \(<<\) are not followed/]],
    ['serve: {to: !!binary YQ==}', [/^1:22: leave the tag out/]],
    ["serve: {to: 'a", [/^1:15: something is missing/]],
    ['pairs: {listen: [{to: a}]}', ['1:18: listen is missing in this entry']],
    ['pairs: {listen: [{listen: a, x: 1}]}', [/^1:30: only listen and to can stand together/]],
  ])('%j is told with its line and column', async (text, lines) => {
    expect(await problems(text)).toEqual(
      lines.map((line) =>
        typeof line === 'string' ? line : (expect.stringMatching(line) as string),
      ),
    );
  });

  test('is told whole, in the order of its lines', async () => {
    const text = 'serve:\n  drain: x\n  a: 1\nping:\n  header: A: b\nfoo: 1\nping: {}\n';
    expect(await problems(text)).toEqual([
      expect.stringMatching(/^2:10: drain/),
      expect.stringMatching(/^3:3: serve has no option "a"/),
      expect.stringMatching(/^5:11: put quotes around a value with ': ' in it/),
      expect.stringMatching(/^6:1: there is no command "foo"/),
      expect.stringMatching(/^7:1: this is given twice/),
    ]);
  });

  test('shows no secret, wherever it stands', async () => {
    const text = `connect:
  url: [wss://me:hunter2@h]
  proxy: {hunter2: hunter2}
  header: [{Authorization: {hunter2: 1}}, [hunter2]]
  token: hunter2
ping:
  header: Authorization: hunter2
  url: "wss://me:hunter2@h\\q"
  proxy: 'hunter2' hunter2
  count: !hunter2 1
doctor: {url: *hunter2}
`;
    const lines = await problems(text);
    expect(lines.length).toBeGreaterThan(7);
    expect(lines.join('\n')).not.toContain('hunter2');
  });

  test('that would grow without end is refused at once', async () => {
    const bomb = ['serve:', '  to: &a [x, x]'];
    for (let i = 1; i < 40; i++) bomb.push(`  a${String(i)}: &b${String(i)} [*a, *a, *a]`);
    expect(await problems(bomb.join('\n'))).toContainEqual(
      expect.stringMatching(/there are more than 100 aliases/),
    );
    const circle = await problems('serve: &s {to: *s}');
    expect(circle).toEqual([expect.stringMatching(/^1:16: to needs/)]);
    const deep = `serve: {to: ${'['.repeat(5000)}${']'.repeat(5000)}}`;
    expect(await problems(deep)).not.toEqual([]);
    await expect(read(`# ${'x'.repeat(1_100_000)}`)).rejects.toThrow(/over 1 MiB/);
  });
});

test('a value counts by where it stands: command line, environment, file, default', async () => {
  await writeFile(path, 'serve: {drain: 1, keepalive: 2, path: /file, no-auth: true, to: [a=:1]}');
  const { values: file } = await readConfig(path, 'serve', await loadCommands());
  const specs = {
    ...{ drain: { value: 'S', default: '9', help: '' }, keepalive: { value: 'S', help: '' } },
    ...{ path: { value: 'P', help: '' }, other: { value: 'P', default: 'o', help: '' } },
    ...{ 'no-auth': { help: '' }, to: { value: 'T', multiple: true, help: '' } },
  };
  const environment = { WSCONN_KEEPALIVE: '3', WSCONN_PATH: '/env', WSCONN_NO_AUTH: 'no' };
  const args = ['--path', '/line', '--to', 'b=:2'];
  const values = readOptions(args, environment, specs, [], file);
  const shown = (['drain', 'keepalive', 'path', 'other', 'no-auth', 'to'] as const).map((name) => {
    return [name, values.text(name), values.source(name), values.nameOf(name)];
  });
  expect(shown).toEqual([
    ['drain', '1', 'file', `drain (${path}:1:16)`],
    ['keepalive', '3', 'environment', 'WSCONN_KEEPALIVE'],
    ['path', '/line', 'command line', '--path'],
    ['other', 'o', 'default', '--other'],
    ['no-auth', undefined, 'environment', 'WSCONN_NO_AUTH'],
    ['to', 'b=:2', 'command line', '--to'],
  ]);
  expect(values.list('to')).toEqual(['b=:2']);
});
