/** No line shows a secret, whatever form it comes in and wherever it comes back from. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

import { describe, expect, test } from 'vitest';

import { createServer } from '../../src/index.ts';
import { hideSecrets, rememberSecrets, showGiven } from '../../wsconn/src/console/secrets.ts';
import { freePort } from '../support/free-port.ts';
import { echo, target } from '../support/peers/target.ts';
import { forward, runWsconn, serve } from '../support/wsconn.ts';

/** It is part of every secret below. */
const SECRET = 'hunter2';

describe('what cannot be used is named without its secret', () => {
  test.each<[NodeJS.ProcessEnv, RegExp]>([
    [{ WSCONN_URL: 'bob:hunter2@host' }, /WSCONN_URL is not a URL/],
    [{ WSCONN_URL: 'ws//bob:hunter2@host' }, /WSCONN_URL is not a URL/],
    [{ WSCONN_URL: 'ws://bob:hun/ter2hunter2@host:x' }, /WSCONN_URL is not a URL/],
    [{ WSCONN_URL: 'ws://host/?token=hunter2#a' }, /WSCONN_URL has a fragment/],
    [{ WSCONN_URL: 'ftp://hunter2@host' }, /WSCONN_URL begins with ftp:\/\//],
    [{ WSCONN_PROXY: 'bob:hunter2@host' }, /WSCONN_PROXY is not the URL of a proxy/],
    [{ WSCONN_PROXY: 'http:/\\bob:hunter2@host:x' }, /WSCONN_PROXY is not the URL of a proxy/],
    [{ WSCONN_PROXY: 'socks4://bob:hunter2@host' }, /WSCONN_PROXY names a proxy for SOCKS 4/],
    [{ WSCONN_PROXY: 'socks5://hunter2%@host' }, /WSCONN_PROXY holds a percent sign/],
    [{ HTTPS_PROXY: 'ftp://bob:hunter2@host' }, /HTTPS_PROXY is not the URL of a proxy/],
    [{ ALL_PROXY: 'pac+http://bob:hunter2@host/p?hunter2' }, /ALL_PROXY names a PAC file/],
    [{ ALL_PROXY: 'http://bob:hunter2@:x' }, /ALL_PROXY is not the URL of a proxy/],
    [{ WSCONN_HEADER: 'Authorization Bearer hunter2' }, /WSCONN_HEADER must be 'NAME: VALUE'/],
    [{ WSCONN_HEADER: 'A: b\nCookie: hunter2\u00e4' }, /but number 2 is not/],
    [{ WSCONN_TOKEN: 'my hunter2' }, /WSCONN_TOKEN holds no usable token/],
    [{ WSCONN_KEEPALIVE: 'ws://a:hunter2@host' }, /but is 'ws:\/\/\*\*\*@host'/],
  ])('%j', async (env, line) => {
    const url = env['WSCONN_URL'] === undefined ? ['wss://127.0.0.1:1'] : [];
    const { code, stdout, stderr } = await runWsconn(['connect', '--verbose', ...url], { env });
    expect(stderr).toMatch(line);
    expect(stderr).not.toContain(SECRET);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  });

  test('on the command line too', async () => {
    for (const args of [
      ['connect', 'ws//bob:hunter2@host'],
      ['connect', 'ws://host', 'ws://bob:hunter2@host'],
      ['connect', '--header', 'Authorization=hunter2', 'ws://host'],
      ['serve', '--listen', 'bob:hunter2@host:1', '--to', 'h:1'],
      ['connect', '--proxy', 'bob:hunter2@host', 'ws://127.0.0.1:1'],
    ]) {
      const { code, stderr } = await runWsconn(args);
      expect(code).toBe(2);
      expect(stderr).not.toContain(SECRET);
    }
  });
});

describe('a URL with a password and a query', () => {
  const urlOf = (port: number): string => `ws://bob:hunter2@127.0.0.1:${String(port)}/p?k=hunter2`;

  test('is shown without both by forward, ping and doctor', async () => {
    const { port } = await serve(await target(echo));
    const { program } = await forward(urlOf(port).replace('bob:hunter2@', ''));
    await program.prints(/forwards to ws:\/\/127\.0\.0\.1:\d+\/p\?\*\*\*\n/);
    const env = { WSCONN_URL: urlOf(port) };
    const runs = [
      ['ping', '--count', '1'],
      ['ping', '--count', '1', '--json'],
      ['doctor', '--steps', '0.1', '--json'],
    ];
    for (const args of runs) {
      const { code, stdout, stderr } = await runWsconn(args, { env });
      expect(code).toBe(0);
      expect(stdout).toMatch(/ws:\/\/127\.0\.0\.1:\d+\/p\?\*\*\*/);
      expect(stdout + stderr).not.toContain(SECRET);
    }
  });

  test('stays out of errors and stacks', async () => {
    const env = { WSCONN_URL: urlOf(await freePort()), WSCONN_VERBOSE: 'yes' };
    const { stderr } = await runWsconn(['connect'], { env });
    expect(stderr).toMatch(/ECONNREFUSED[^]*\n +at /);
    expect(stderr).not.toContain(SECRET);
  });
});

test('a secret that the server sends back is hidden', async () => {
  await using server = createServer((socket, { headers }) => {
    void socket.close(4000, `no ${String(headers.authorization)}, http://bob:pw@h/?q=1`);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const { stderr } = await runWsconn(['connect', '--verbose', `ws://127.0.0.1:${String(port)}`], {
    env: { WSCONN_TOKEN: 'hunter2' },
  });
  expect(stderr).toContain('(4000): no Bearer ***, http://***@h/?***\n');
  expect(stderr).not.toContain(SECRET);
});

describe('a line', () => {
  test.each([
    ['see http://bob:hunter2@host/p?q#f: refused', 'see http://***@host/p?***'],
    ["'bob:hun/ter2@host' is wrong", "'***@host' is wrong"],
    ['Proxy-Authorization: Basic aHVudGVyMg==', 'Proxy-Authorization: ***'],
    ['{"cookie": "a=b"}', '{"cookie": ***'],
    ['me@host: no route', 'me@host: no route'],
    ['[::1]:80 and 127.0.0.1:80?', '[::1]:80 and 127.0.0.1:80?'],
  ])('%s is shown as %s', (text, shown) => {
    expect(hideSecrets(text).startsWith(shown)).toBe(true);
    expect(hideSecrets(text)).not.toMatch(/hunter2|q#f|aHVu|a=b/);
  });

  test('of a hostile peer takes no time to look through', () => {
    for (const part of [':', 'a:', '@', '://', 'cookie:']) {
      const before = performance.now();
      hideSecrets(part.repeat(100_000));
      expect(performance.now() - before).toBeLessThan(1000);
    }
  });

  test('does not show what is remembered', () => {
    rememberSecrets('open-sesame', 'x');
    expect(hideSecrets('say open-sesame, x')).toBe('say ***, x');
  });
});

test.each([
  ['soon', "'soon'"],
  ['ws://a:b@c@host/?x', "'ws://***@host/?***'"],
  ['bob:p w@host', "'***@host'"],
  ['/p?q', "'/p?***'"],
])('%s that cannot be used is shown as %s', (text, shown) => {
  expect(showGiven(text)).toBe(shown);
});
