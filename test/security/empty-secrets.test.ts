/** A secret that is set and empty is an error, never "no authentication". */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { describe, expect, onTestFinished, test } from 'vitest';

import { makeFolder } from '../support/folder.ts';
import { echo, target } from '../support/peers/target.ts';
import { runWsconn, serve } from '../support/wsconn.ts';

const SERVE = ['serve', '--listen', '127.0.0.1:0', '--to', '127.0.0.1:1'];
const COMMANDS = [
  SERVE,
  ['connect', 'ws://127.0.0.1:1'],
  ['forward', '--listen', '127.0.0.1:0', 'ws://127.0.0.1:1'],
  ['forward', '--mux', '--listen', '127.0.0.1:0', 'ws://127.0.0.1:1'],
  ['ping', 'ws://127.0.0.1:1'],
  ['doctor', 'ws://127.0.0.1:1'],
];

describe.each(COMMANDS.map((args) => ({ args })))('wsconn $args', ({ args }) => {
  test.each([
    ['WSCONN_TOKEN', ''],
    ['WSCONN_TOKEN', ' \n'],
    ['WSCONN_TOKEN_FILE', ''],
    ['WSCONN_VERBOSE', ''],
  ])('refuses %s=%j with exit code 2', async (variable, value) => {
    const ended = await runWsconn(args, { env: { [variable]: value } });
    expect(ended).toMatchObject({ code: 2, stdout: '' });
    expect(ended.stderr).toMatch(
      new RegExp(`^[^\\n]*${variable} is set and empty: give it a value, or unset it\\n$`),
    );
  });
});

test.each([
  [SERVE, 'WSCONN_ALLOW_ORIGIN'],
  [SERVE, 'WSCONN_TLS_CLIENT_CA'],
  [SERVE, 'WSCONN_NO_AUTH'],
  [['connect', 'ws://h'], 'WSCONN_URL'],
  [['connect', 'ws://h'], 'WSCONN_HEADER'],
  [['connect', 'ws://h'], 'WSCONN_PROXY'],
])('%j refuses an empty %s', async (args, variable) => {
  const ended = await runWsconn(args, { env: { [variable]: '' } });
  expect(ended).toMatchObject({ code: 2, stdout: '' });
  expect(ended.stderr).toContain(`${variable} is set and empty`);
});

test('a token that cannot be sent is refused without showing it', async () => {
  const ended = await runWsconn(SERVE, { env: { WSCONN_TOKEN: 'open sesame' } });
  expect(ended).toMatchObject({ code: 2, stdout: '' });
  expect(ended.stderr).toMatch(/WSCONN_TOKEN holds no usable token/);
  expect(ended.stderr).not.toContain('sesame');
});

test('an empty token file stops serve before it listens', async () => {
  const folder = await makeFolder();
  onTestFinished(() => folder.remove());
  const path = join(folder.path, 'token');
  await writeFile(path, '\n', { mode: 0o600 });
  const ended = await runWsconn(SERVE, { env: { WSCONN_TOKEN_FILE: path } });
  expect(ended).toMatchObject({ code: 1, stdout: '' });
  expect(ended.stderr).toMatch(/^[^\n]*which WSCONN_TOKEN_FILE names, is empty\n$/);
});

describe('serve on an address that others reach', () => {
  const anywhere = ['--listen', '0.0.0.0:0', '--to', '127.0.0.1:1'];

  test('starts with a token, and with --no-auth', async () => {
    const to = await target(echo);
    const withToken = await serve(to, [], {
      host: '0.0.0.0',
      env: { WSCONN_TOKEN: 'open-sesame' },
    });
    const url = `ws://127.0.0.1:${String(withToken.port)}`;
    expect(await runWsconn(['connect', url])).toMatchObject({ code: 1 });
    const open = await serve(to, ['--no-auth'], { host: '0.0.0.0' });
    const ended = await runWsconn(['connect', `ws://127.0.0.1:${String(open.port)}`], {
      input: 'x',
    });
    expect(ended).toEqual({ code: 0, stdout: 'x', stderr: '' });
  });

  test('does not start without', async () => {
    const ended = await runWsconn(['serve', ...anywhere]);
    expect(ended).toMatchObject({ code: 2, stdout: '' });
    expect(ended.stderr).toMatch(
      /^wsconn serve: everybody who reaches 0\.0\.0\.0:0 could connect: give --token-file or --tls-client-ca, or --no-auth where that is meant\n$/,
    );
  });
});
