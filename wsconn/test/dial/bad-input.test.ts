/** What can be wrong with the options of those that dial: one clear line each, exit code 2. */
import { describe, expect, test } from 'vitest';

import { runWsconn } from '../../../test/support/wsconn.ts';

const PIN = `sha256/${'A'.repeat(43)}=`;

async function fails(
  args: readonly string[],
  line: RegExp,
  env: NodeJS.ProcessEnv = {},
): Promise<void> {
  const { code, stdout, stderr } = await runWsconn(args, { env });
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toMatch(/^[^\n]+\n$/);
  expect(stderr).toMatch(line);
}

describe('a command line of connect', () => {
  test.each<[string, RegExp]>([
    [
      '--pin sha256/abc wss://h',
      /--pin must be sha256\/ and 44 characters of base64, but is 'sha256\/abc'/,
    ],
    [`--pin ${PIN} --pin md5/x wss://h`, /--pin must be sha256\/ .*, but is 'md5\/x'/],
    [`--pin ${PIN} ws://h`, /--pin is for TLS, which a URL of ws: does not use: give wss:\/\//],
    [
      '--servername a.example http://h',
      /--servername is for TLS, which a URL of http: does not use/,
    ],
    [`--pin ${PIN} ws+unix:/s`, /--pin is for TLS, which a URL of ws\+unix: does not use/],
    [
      '--servername 192.0.2.1 wss://h',
      /--servername must be a host name, .*, but is '192\.0\.2\.1'/,
    ],
    ['--servername ::1 wss://h', /--servername must be a host name/],
    ['--servername a/b wss://h', /--servername must be a host name/],
    ['--servername a..b wss://h', /--servername must be a host name/],
    ['--protocol a/b ws://h', /--protocol must be a subprotocol, such as mqtt, but 'a\/b' is none/],
    ['--protocol a --protocol a ws://h', /but 'a' is given twice/],
    ['--protocol wsconn.mux ws://h', /but 'wsconn\.mux' is one of wsconn itself/],
    ['--follow-redirects ws+unix:/s', /--follow-redirects is for servers with a host/],
    ['--follow-redirects=5 ws://h', /--follow-redirects takes no value/],
    ['--proxy socks5://h ws+unix:/s', /--proxy contradicts the URL of a unix socket/],
    [
      '--proxy pac+http://h/p ws://h',
      /--proxy names a PAC file, which is not supported: give the URL/,
    ],
    ['--proxy socks4a://h ws://h', /--proxy names a proxy for SOCKS 4, which is not supported/],
    [
      '--proxy ftp://h ws://h',
      /--proxy is not the URL of a proxy: give one such as http:.* or socks5h:/,
    ],
    ['--proxy socks5:// ws://h', /--proxy is not the URL of a proxy/],
    ['--proxy socks5://me:secret@h ws://h', /--proxy holds a password.*WSCONN_PROXY/],
    ['ws+unix://host/s', /is not the URL of a unix socket: give one such as ws\+unix:\/run\//],
    ['ws+unix:s', /is not the URL of a unix socket/],
    ['ws+unix:/a%b', /holds a percent sign that begins no escape: write it as %25/],
    ['ws+unix:/a%00b', /holds a percent sign/],
    [`ws+unix:/${'s'.repeat(107)}`, /names a socket by more than 107 bytes: give a shorter path/],
    ['wss+unix:/s', /is not a URL/],
  ])('%s', async (args, line) => {
    await fails(['connect', ...args.split(' ')], line);
  });
});

describe('a command line', () => {
  test.each<[string, RegExp]>([
    ['forward --listen 127.0.0.1:0 --pin x wss://h', /--pin must be sha256/],
    ['forward --listen 127.0.0.1:0 --proxy pac+http://h ws://h', /--proxy names a PAC file/],
    ['ping --servername 1.2.3.4 wss://h', /--servername must be a host name/],
    ['doctor --protocol a,b ws://h', /--protocol must be a subprotocol/],
    ['connect --max-payload 0 ws://h', /--max-payload must be a whole number, at least 1/],
    ['connect --max-payload 1k ws://h', /--max-payload must be a whole number/],
    ['connect --max-payload 2147483648 ws://h', /--max-payload must be at most 2147483647/],
    ['connect --tcp-end-is-eof=1 ws://h', /--tcp-end-is-eof takes no value/],
    ['ping --max-payload 5 ws://h', /no option --max-payload/],
    ['doctor --tcp-end-is-eof ws://h', /no option --tcp-end-is-eof/],
    ['forward --listen - --mux --protocol a ws://h', /--protocol contradicts --mux/],
  ])('%s', async (args, line) => {
    await fails(args.split(' '), line);
  });
});

test.each<[NodeJS.ProcessEnv, RegExp]>([
  [{ WSCONN_PIN: `${PIN}\nx` }, /WSCONN_PIN must be sha256\//],
  [{ WSCONN_SERVERNAME: 'a b' }, /WSCONN_SERVERNAME must be a host name/],
  [{ WSCONN_PROTOCOL: 'a\na' }, /WSCONN_PROTOCOL must be a subprotocol/],
  [{ WSCONN_FOLLOW_REDIRECTS: 'often' }, /WSCONN_FOLLOW_REDIRECTS must be yes or no/],
  [{ WSCONN_TCP_END_IS_EOF: 'x' }, /WSCONN_TCP_END_IS_EOF must be yes or no/],
  [{ WSCONN_MAX_PAYLOAD: 'x' }, /WSCONN_MAX_PAYLOAD must be a whole number/],
  [{ WSCONN_PROXY_CA: '' }, /WSCONN_PROXY_CA is set and empty/],
  [{ WSCONN_PROXY: 'http://a:%zz@h' }, /WSCONN_PROXY holds a percent sign that begins no escape/],
  [
    { WSCONN_PROXY: `socks5://${'a'.repeat(256)}@h` },
    /WSCONN_PROXY holds a user .* than 255 bytes/,
  ],
  [{ all_proxy: 'pac+file:///p' }, /all_proxy names a PAC file, which is not supported/],
  [{ ALL_PROXY: 'socks://h:1080' }, /ALL_PROXY names a proxy for SOCKS 4/],
  [{ https_proxy: 'nonsense://h' }, /https_proxy is not the URL of a proxy/],
])('%j is named by its variable', async (env, line) => {
  await fails(['forward', '--listen', '127.0.0.1:0', 'wss://h'], line, env);
});
