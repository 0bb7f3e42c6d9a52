/** The real command with a configuration file. */
import { readFileSync } from 'node:fs';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { makeFolder } from '../../../test/support/folder.ts';
import { echo, target } from '../../../test/support/peers/target.ts';
import { makeAuthority } from '../../../test/support/programs/authority.ts';
import { describeWith } from '../../../test/support/programs/program.ts';
import { runWsconn, serve, wsconn } from '../../../test/support/wsconn.ts';

let folder: Awaited<ReturnType<typeof makeFolder>>;

beforeAll(async () => {
  folder = await makeFolder();
});
afterAll(() => folder.remove());

async function file(name: string, content: string, mode = 0o600): Promise<string> {
  const path = join(folder.path, name);
  await writeFile(path, content);
  await chmod(path, mode);
  return path;
}

describe('--config', () => {
  test('starts serve and connect without another option', async () => {
    const to = await target(echo);
    const config = await file('whole', `serve: {listen: '127.0.0.1:0', to: {a: ${String(to)}}}`);
    const program = wsconn(['serve', '--config', config]);
    const [, address = ''] = await program.prints(/listening on (ws:\S+),/);
    const client = await file('client', `connect: {url: '${address}/a'}`);
    const env = { WSCONN_CONFIG: client };
    expect(await runWsconn(['connect'], { input: 'hi', env })).toEqual({
      code: 0,
      stdout: 'hi',
      stderr: '',
    });
  });

  test('sets the format of the log from then on', async () => {
    const config = await file('json', 'connect: {log-format: json, url: "ws://127.0.0.1:1"}');
    const { stderr } = await runWsconn(['connect', '--config', config]);
    expect(JSON.parse(stderr)).toMatchObject({ level: 'error', name: 'wsconn connect' });
  });

  test('tells all that is wrong, a line each, with exit code 2', async () => {
    const config = await file('wrong', 'connect:\n  urll: x\n  mux: true\nserve: {drain: x}\n');
    const { code, stdout, stderr } = await runWsconn(['connect', '--config', config, 'ws://h']);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr.split('\n')).toEqual([
      `wsconn connect: ${config}:2:3: connect has no option "urll": did you mean url?`,
      `wsconn connect: ${config}:3:3: connect has no option "mux": see wsconn connect --help for those there are`,
      `wsconn connect: ${config}:4:16: drain must be seconds, but is 'x'`,
      '',
    ]);
  });

  test.each([
    [
      ['connect', '--config', '/nowhere/c', 'ws://h'],
      /cannot read \/nowhere\/c, which --config na/,
    ],
    [['connect', '--config', '/', 'ws://h'], /which --config names: it is a directory/],
    [['connect', '--config', '/dev/null', 'ws://h'], /\/dev\/null, which --config names, is empty/],
    [['connect', '--config'], /--config needs a value: --config FILE/],
    [['check'], /FILE is missing: give the file to check/],
    [['check', '/nowhere/c'], /cannot read \/nowhere\/c, which FILE names/],
    [['check', 'a', 'b', 'c'], /'c' is one argument too many/],
    [['completion'], /SHELL is missing/],
    [['completion', 'bsh'], /no completion for the shell 'bsh': did you mean bash\?/],
  ])('and the like: %j is one line, with exit code 2', async (args, line) => {
    const { code, stdout, stderr } = await runWsconn(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^[^\n]+\n$/);
    expect(stderr).toMatch(line);
  });

  test('that cannot be used is told with its place, and without a secret', async () => {
    const url = await file('url', 'connect:\n  url: ftp://me:hunter2@h\n');
    expect(await runWsconn(['connect', '--config', url])).toEqual({
      code: 2,
      stdout: '',
      stderr: `wsconn connect: ${url}:2:8: url begins with ftp://: give one such as wss://host/path\n`,
    });
    const to = await file(
      'to',
      'serve:\n  listen: :1\n  no-auth: true\n  to:\n    - a=:1\n    - b=x\n',
    );
    const { code, stderr } = await runWsconn(['serve', '--config', to]);
    expect(code).toBe(2);
    expect(stderr).toContain(`wsconn serve: ${to}:6:7: to must be HOST:PORT`);
  });

  test('with a secret that every user may read is one warning, and else none', async () => {
    const text = 'connect: {header: {Authorization: Bearer hunter2}, url: "ws://127.0.0.1:1"}\n';
    const open = await file('open', text, 0o644);
    const { stderr } = await runWsconn(['connect', '--config', open]);
    expect(stderr).not.toContain('hunter2');
    expect(stderr.match(/warning: .*/g)).toEqual([
      `warning: every user of this machine may read ${open}, which --config names: chmod o-r ${open}`,
    ]);
    for (const harmless of [
      await file('closed', text, 0o600),
      await file('plain', 'connect: {url: "ws://127.0.0.1:1"}', 0o644),
    ]) {
      expect((await runWsconn(['connect', '--config', harmless])).stderr).not.toMatch(/warning/);
    }
  });
});

describe('wsconn check', () => {
  test('accepts the example of the README but for files that are not there', async () => {
    const readme = readFileSync(new URL('../../docs/operation.md', import.meta.url), 'utf8');
    const [, example = ''] = /^```yaml\n(serve:[^]*?)^```$/m.exec(readme) ?? [];
    const token = await file('token', 'of-the-readme');
    expect(example).toContain('/etc/wsconn/token');
    const config = await file('readme', example.replaceAll('/etc/wsconn/token', token));
    expect(await runWsconn(['check', config])).toEqual({
      code: 0,
      stdout: `${config}: serve: ok\n${config}: forward: ok\n`,
      stderr: '',
    });
    const one = await runWsconn(['check', '--config', config, 'serve']);
    expect(one).toEqual({ code: 0, stdout: `${config}: serve: ok\n`, stderr: '' });
    const none = await runWsconn(['check', config, 'sreve']);
    expect(none).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/no section 'sreve': did you mean serve/) as string,
    });
  });

  test('tells of each section what would keep its command from starting', async () => {
    const config = await file(
      'sections',
      `serve:
  listen: 0.0.0.0:80
  to: :22
forward:
  listen: :1
  url: wss://h
  token-file: /nowhere/token
connect: {keepalive: 5}
ping: {url: 'ws://h', ca: /nowhere/ca}
`,
    );
    const { code, stdout, stderr } = await runWsconn(['check', config]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: `${config}: connect: ok\n` });
    expect(stderr.split('\n')).toEqual([
      expect.stringContaining(`wsconn check: ${config}: serve: everybody who reaches 0.0.0.0:80`),
      `wsconn check: ${config}:7:15: cannot read /nowhere/token, which token-file names: there is no such file`,
      `wsconn check: ${config}:9:27: cannot read /nowhere/ca, which ca names: there is no such file`,
      '',
    ]);
  });
});

describeWith('openssl', 'wsconn check of certificates', () => {
  test('finds a key that does not belong to its certificate', async () => {
    const authority = await makeAuthority(folder.path);
    const [a, b] = [await authority.sign('a'), await authority.sign('b')];
    const right = `serve: {listen: ':1', to: ':2', no-auth: true, tls-cert: ${a.cert}, tls-key: ${a.key}}`;
    await chmod(a.key, 0o600);
    await chmod(b.key, 0o600);
    const config = await file(
      'tls',
      `${right}\nping: {url: 'wss://h', cert: ${a.cert}, key: ${b.key}}`,
    );
    const { code, stdout, stderr } = await runWsconn(['check', config]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: `${config}: serve: ok\n` });
    expect(stderr).toMatch(/ping: --cert and --key cannot be used: .*do not belong together/);
    const wrong = await file('wrong-key', right.replace(a.key, b.key));
    expect((await runWsconn(['check', wrong])).stderr).toMatch(/do not belong together/);
  });
});

test('a variable wins over the file, and the command line over both', async () => {
  const { url } = await serve(await target(echo));
  const config = await file('low', "connect: {url: 'ws://127.0.0.1:1'}");
  const env = { WSCONN_URL: url };
  const byVariable = await runWsconn(['connect', '--config', config], { input: 'a', env });
  expect(byVariable).toMatchObject({ code: 0, stdout: 'a' });
  const byLine = await runWsconn(['connect', '--config', config, url], { input: 'b' });
  expect(byLine).toMatchObject({ code: 0, stdout: 'b' });
});
