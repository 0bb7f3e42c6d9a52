/** What can be wrong with a command line or a file: one clear line each. */
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { fails } from '../../../test/support/fails.ts';
import { makeFolder } from '../../../test/support/folder.ts';
import { echo, target } from '../../../test/support/peers/target.ts';
import { makeAuthority } from '../../../test/support/programs/authority.ts';
import { runWsconn, serve } from '../../../test/support/wsconn.ts';

let folder: Awaited<ReturnType<typeof makeFolder>>;

beforeAll(async () => {
  folder = await makeFolder();
});
afterAll(() => folder.remove());

describe('a command line', () => {
  test.each([
    [['serev'], /no command 'serev': did you mean serve\?/],
    [
      ['connect', '--keepalvie', '5', 'ws://h'],
      /no option --keepalvie: did you mean --keepalive\?/,
    ],
    [['connect', '--xyzzy', 'ws://h'], /no option --xyzzy: see --help/],
    [
      ['connect', '--keepalive', 'soon', 'ws://h'],
      /--keepalive must be seconds, at least 0, but is 'soon'/,
    ],
    [['connect', '--token-file'], /--token-file needs a value: --token-file FILE/],
    [['connect', '--ca', '--cert', 'x', 'ws://h'], /--ca needs a value, but '--cert' follows/],
    [['connect', '--verbose=yes', 'ws://h'], /--verbose takes no value/],
    [['connect', 'ws://a', 'ws://b'], /'ws:\/\/b' is one argument too many/],
    [['connect'], /URL is missing: give it, or set WSCONN_URL/],
    [
      ['connect', 'example.org'],
      /'example\.org' is not a URL: give one such as wss:\/\/host\/path/,
    ],
    [['connect', 'ftp://example.org'], /begins with ftp:\/\/: give one such as wss:\/\/host\/path/],
    [['connect', 'ws://me:secret@h'], /URL holds a password.*put it into WSCONN_URL/],
    [
      ['connect', '--proxy', 'http://me:secret@p', 'ws://h'],
      /--proxy holds a password.*WSCONN_PROXY/,
    ],
    [
      ['connect', '--header', 'Authorization: Bearer x', 'ws://h'],
      /Authorization is a secret.*--token-file/,
    ],
    [
      ['connect', '--header', 'nonsense', 'ws://h'],
      /--header must be 'NAME: VALUE' in ASCII, but number 1 is not/,
    ],
    [['connect', '--cert', 'c.pem', 'wss://h'], /--cert and --key belong together/],
    [['serve', '--to', '127.0.0.1:22'], /--listen is missing: give it, or set WSCONN_LISTEN/],
    [
      ['serve', '--listen', 'host', '--to', '127.0.0.1:22'],
      /--listen must be HOST:PORT or unix:.* but is 'host'/,
    ],
    [['serve', '--listen', '127.0.0.1:0', '--to', '127.0.0.1:99999'], /--to must be HOST:PORT/],
    [
      ['serve', '--listen', '127.0.0.1:0', '--to', 'h:1', '--path', 'ssh'],
      /--path must begin with \//,
    ],
    [
      ['serve', '--listen', '127.0.0.1:0', '--to', 'h:1', '--tls-key', 'k'],
      /--tls-cert and --tls-key belong together/,
    ],
    [
      ['serve', '--listen', '127.0.0.1:0', '--to', 'h:1', '--tls-client-ca', 'k'],
      /--tls-client-ca needs TLS/,
    ],
    ...['https://example.org/', 'example.org', 'https://example.org:443', ' '].map(
      (origin): [string[], RegExp] => [
        ['serve', '--listen', '127.0.0.1:0', '--to', 'h:1', '--allow-origin', origin],
        /--allow-origin must be https:\/\/HOST or .*, 'null' or '\*', but is '/,
      ],
    ),
    [['doctor', '--steps', '1,x', 'ws://h'], /--steps must be seconds with commas between/],
  ])('%j is refused in one line, with exit code 2', async (args, line) => {
    await fails(args, line, 2);
  });

  test.each([
    [['--listen', '0.0.0.0:0'], /everybody who reaches 0\.0\.0\.0:0 could connect: give --token-/],
    [['--listen', 'a.example:0'], /everybody who reaches a\.example:0 could connect/],
    [['--listen', '[::]:0'], /everybody who reaches \[::\]:0 could connect/],
    [['--listen', '[::1%lo]:0'], /everybody who reaches \[::1%lo\]:0 could connect/],
    [
      ['--listen', '127.0.0.1:0', '--no-auth', '--token-file', 'x'],
      /--no-auth contradicts a token: leave one of them out/,
    ],
    [
      ['--no-auth', '--tls-cert', 'x', '--tls-key', 'x', '--tls-client-ca', 'x'].concat(
        '--listen',
        '[::1]:0',
      ),
      /--no-auth contradicts --tls-client-ca/,
    ],
  ])('of serve that fits no authentication is refused: %j', async (args, line) => {
    await fails(['serve', '--to', 'h:1', ...args], line, 2);
  });

  test('of the environment is named by its variable', async () => {
    await fails(['connect', 'ws://h'], /WSCONN_KEEPALIVE must be seconds/, 2, {
      WSCONN_KEEPALIVE: 'soon',
    });
    await fails(['forward', 'ws://h', '--listen', '-'], /WSCONN_MUX must be yes or no/, 2, {
      WSCONN_MUX: 'x',
    });
  });

  test('can come from the environment as a whole', async () => {
    const { url } = await serve(await target(echo));
    const ended = await runWsconn(['connect'], {
      input: 'hello',
      env: { WSCONN_URL: url, WSCONN_KEEPALIVE: '5' },
    });
    expect(ended).toEqual({ code: 0, stdout: 'hello', stderr: '' });
  });
});

describe('a file', () => {
  test('that is missing, empty or unusable is named', async () => {
    const serveWith = (...args: string[]): string[] => [
      'serve',
      '--listen',
      '127.0.0.1:0',
      '--to',
      'h:1',
      ...args,
    ];
    const missing = join(folder.path, 'missing');
    const empty = await folder.file('empty', ' \n');
    const spaces = await folder.file('spaces', 'two words\n');
    await fails(
      serveWith('--token-file', missing),
      /cannot read .*missing, which --token-file names: there is no such file/,
    );
    await fails(
      serveWith('--token-file', folder.path),
      /which --token-file names: it is a directory/,
    );
    await fails(serveWith('--token-file', empty), /empty, which --token-file names, is empty/);
    await fails(
      ['connect', '--token-file', empty, 'ws://127.0.0.1:1'],
      /which --token-file names, is empty/,
    );
    await fails(['connect', '--token-file', spaces, 'ws://127.0.0.1:1'], /holds no usable token/);
    await fails(
      serveWith('--tls-cert', spaces, '--tls-key', spaces),
      /cannot be used: .*not in PEM/,
    );
  });

  test('of a CA that holds no certificate is named, where Node would trust nobody in silence', async () => {
    const none = await folder.file('none.pem', 'two words\n');
    const lines = ['-----BEGIN CERTIFICATE-----', 'bm9uc2Vuc2U=', '-----END CERTIFICATE-----', ''];
    const broken = await folder.file('broken.pem', lines.join('\n'));
    await fails(
      ['connect', '--ca', none, 'wss://h'],
      /none\.pem, which --ca names, holds no certificate in PEM/,
    );
    await fails(
      ['connect', '--ca', broken, 'wss://h'],
      /broken\.pem, which --ca names, holds a broken certificate/,
    );
    const authority = await makeAuthority(folder.path);
    const { cert, key } = await authority.sign('of-the-server');
    const listen = [
      'serve',
      '--listen',
      '127.0.0.1:0',
      '--to',
      'h:1',
      '--tls-cert',
      cert,
      '--tls-key',
      key,
    ];
    await fails(
      [...listen, '--tls-client-ca', none],
      /which --tls-client-ca names, holds no certificate/,
    );
  });
});
