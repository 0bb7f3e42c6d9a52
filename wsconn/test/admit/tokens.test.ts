/** Tokens at work: `wsconn token`, `serve` and `connect`, as a user has them. */
import { execFile } from 'node:child_process';
import { appendFile, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { makeFolder } from '../../../test/support/folder.ts';
import { ask } from '../../../test/support/handshake.ts';
import { echo, target } from '../../../test/support/peers/target.ts';
import { describeWith } from '../../../test/support/programs/program.ts';
import { runWsconn, serve } from '../../../test/support/wsconn.ts';

let folder: Awaited<ReturnType<typeof makeFolder>>;

beforeAll(async () => {
  folder = await makeFolder();
});
afterAll(() => folder.remove());

describe('wsconn token', () => {
  test('prints a token and nothing else', async () => {
    const made = await Promise.all([runWsconn(['token']), runWsconn(['token'])]);
    for (const ended of made) {
      expect(ended).toMatchObject({ code: 0, stderr: '' });
      expect(ended.stdout).toMatch(/^\w[\w-]{42}\n$/);
    }
    expect(made[0].stdout).not.toBe(made[1].stdout);
  });

  test('shows the line for serve on stderr, apart from the token', async () => {
    const ended = await runWsconn(['token', '--name', 'a', '--target', 'x', '--target', '/']);
    expect(ended.stdout).toMatch(/^\S+\n$/);
    expect(ended.stderr).toMatch(/^wsconn token: line for .*: a:scrypt\$16384\$8\$1\$\S+:x,\/\n$/);
    expect(ended.stderr).not.toContain(ended.stdout.trim());
  });

  test('adds lines to a file that only its owner reads, also many at once', async () => {
    const path = join(folder.path, 'many');
    const names = ['a', 'b', 'c', 'd', 'e'];
    const made = names.map((name) => runWsconn(['token', '--name', name, '--file', path]));
    for (const ended of await Promise.all(made)) {
      expect(ended).toMatchObject({ code: 0, stderr: '' });
    }
    const lines = (await readFile(path, 'utf8')).split('\n');
    expect(lines.map((line) => line.split(':')[0]).sort()).toEqual(['', ...names]);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  test('keeps the mode of a file, and ends its last line', async () => {
    const path = await folder.file('kept', '# mine\nold:token');
    await promisify(execFile)('chmod', ['640', path]);
    await runWsconn(['token', '--name', 'new', '--file', path]);
    expect(await readFile(path, 'utf8')).toMatch(/^# mine\nold:token\nnew:scrypt\$\S+\n$/);
    expect((await stat(path)).mode & 0o777).toBe(0o640);
  });

  test.each([
    [['--name', 'a b'], 2, /--name must be up to 64 letters, digits and \. _ @ \+ -, but is 'a b'/],
    [['--name', 'a:b'], 2, /--name must be/],
    [['--file', 'x'], 2, /--file needs --name NAME/],
    [['--target', 'x'], 2, /--target needs --name NAME/],
    [
      ['--name', 'a', '--target', 'x,y'],
      2,
      /--target must be the name of a target of serve, or \//,
    ],
    [['--name', 'a', '--file', '/proc/nothing/x'], 1, /cannot write .*: there is no such folder/],
    [['--name', 'a', '--file', '/'], 1, /cannot write \/, which --file names: it is a directory/],
  ])('refuses %j in one line', async (args, code, line) => {
    const ended = await runWsconn(['token', ...args]);
    expect(ended).toMatchObject({ code, stdout: '' });
    expect(ended.stderr).toMatch(/^[^\n]+\n$/);
    expect(ended.stderr).toMatch(line);
  });

  test('leaves a file alone that serve would not take with the line', async () => {
    const single = await folder.file('single', 's3cret\n');
    const broken = await folder.file('broken', 'a:b\ns3cret\n');
    for (const [path, line] of [
      [single, /holds one token without a name, beside which there can be no other/],
      [broken, /broken, which --file names, line 2 has no name/],
    ] as const) {
      const before = await readFile(path, 'utf8');
      const ended = await runWsconn(['token', '--name', 'a', '--file', path]);
      expect(ended).toMatchObject({ code: 1, stdout: '' });
      expect(ended.stderr).toMatch(line);
      expect(ended.stderr).not.toContain('s3cret');
      expect(await readFile(path, 'utf8')).toBe(before);
    }
  });
});

describe('serve with many tokens', () => {
  test('lets each in by its name, to its targets; another is 403 that says so', async () => {
    const tokens = join(folder.path, 'tokens');
    const all = await runWsconn(['token', '--name', 'all', '--file', tokens]);
    const db = await runWsconn(['token', '--name', 'db', '--target', 'db', '--file', tokens]);
    const to = String(await target(echo));
    const { program, port } = await serve(to, ['--to', `db=:${to}`, '--token-file', tokens]);
    const own = await folder.file('all', `\n${all.stdout}\n`);
    const url = `ws://127.0.0.1:${String(port)}`;
    expect(await runWsconn(['connect', '--token-file', own, url], { input: 'x' })).toMatchObject({
      code: 0,
      stdout: 'x',
    });
    await program.prints(/connection 1 from 127\.0\.0\.1:\d+ as "all" opened\n/);
    expect(await ask(port, { token: db.stdout.trim(), path: '/db' })).toMatchObject({
      status: 101,
    });
    expect(await ask(port, { token: db.stdout.trim() })).toMatchObject({
      status: 403,
      body: 'the token "db" does not open the target without a name\n',
    });
    await program.prints(/with 403: the token "db" does not open the target without a name\n/);
    expect(await ask(port, { token: 'wrong' })).toMatchObject({
      status: 401,
      headers: { 'www-authenticate': 'Bearer realm="wsconn"' },
      body: 'the token is wrong\n',
    });
    await program.prints(/with 401: wrong token\n/);
  });

  test('puts who it is into JSON', async () => {
    const path = await folder.file('json', 'laptop:s3cret\n');
    const args = ['--token-file', path, '--log-format', 'json'];
    const { program, port } = await serve(await target(echo), args);
    await ask(port, { token: 's3cret' });
    const [line] = await program.prints(/^.*"event":"opened".*$/m);
    expect(JSON.parse(line)).toMatchObject({
      who: 'laptop',
      from: expect.stringMatching(/^127\.0\.0\.1:\d+$/) as string,
    });
  });

  test('takes old and new at rotation; a broken file is logged, and the old stays', async () => {
    const path = await folder.file('rotated', 'me:old\n');
    const { program, port } = await serve(await target(echo), ['--token-file', path]);
    await appendFile(path, 'me:new\n');
    await program.prints(/read .*rotated again\n/);
    for (const token of ['old', 'new']) {
      expect(await ask(port, { token })).toMatchObject({ status: 101 });
    }
    await writeFile(path, 'me:new\nyou:s3cret:nowhere\n');
    await program.prints(
      /rotated, which --token-file names, line 2 names a target that --to does not: .*; what was read before stays in use\n/,
    );
    expect(await ask(port, { token: 'old' })).toMatchObject({ status: 101 });
    await writeFile(path, 'me:new\n');
    await program.prints(/again\n[^]*again\n/);
    expect(await ask(port, { token: 'old' })).toMatchObject({ status: 401 });
    expect(program.stderr).not.toContain('s3cret');
  });

  test('does not start with a target that is not there', async () => {
    const path = await folder.file('nowhere', 'me:s3cret:nowhere\n');
    const args = ['serve', '--listen', '127.0.0.1:0', '--to', ':1', '--token-file', path];
    const ended = await runWsconn(args);
    expect(ended).toMatchObject({ code: 1, stdout: '' });
    expect(ended.stderr).toMatch(/^[^\n]*line 1 names a target that --to does not[^\n]*\n$/);
    expect(ended.stderr).not.toContain('s3cret');
  });
});

describeWith('python3', 'a hash that another program has made', (python) => {
  test('is taken as the README describes it', async () => {
    const program = `
import base64, hashlib, os
b64 = lambda data: base64.urlsafe_b64encode(data).decode().rstrip('=')
salt = os.urandom(16)
digest = hashlib.scrypt(b'by-hand', salt=salt, n=16384, r=8, p=1, dklen=32)
mark = hashlib.sha256(b'by-hand').digest()[:3]
print('bare:scrypt$16384$8$1$' + b64(salt) + '$' + b64(digest))
salt = os.urandom(16)
digest = hashlib.scrypt(b'marked', salt=salt, n=16384, r=8, p=1, dklen=32)
mark = hashlib.sha256(b'marked').digest()[:3]
print('marked:scrypt$16384$8$1$' + b64(salt) + '$' + b64(digest) + '$' + b64(mark))
`;
    const { stdout } = await promisify(execFile)(python, ['-c', program]);
    const path = await folder.file('by-hand', stdout);
    const { program: server, port } = await serve(await target(echo), ['--token-file', path]);
    expect(await ask(port, { token: 'by-hand' })).toMatchObject({ status: 101 });
    await server.prints(/as "bare" opened/);
    expect(await ask(port, { token: 'marked' })).toMatchObject({ status: 101 });
    await server.prints(/as "marked" opened/);
  });
});
