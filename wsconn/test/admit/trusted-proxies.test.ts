/** Which proxies are believed, and what. */
import type { IncomingMessage } from 'node:http';

import { describe, expect, test } from 'vitest';

import { addressKey, clientOf, showClient } from '../../src/admit/client-address.ts';
import { TrustedProxies } from '../../src/admit/trusted-proxies.ts';
import { runWsconn } from '../../../test/support/wsconn.ts';

function proxiesOf(...all: string[]): TrustedProxies {
  const proxies = new TrustedProxies();
  for (const each of all) expect(proxies.add(each)).toBe(true);
  return proxies;
}

describe('--trusted-proxy', () => {
  test.each([
    '',
    'localhost',
    '10.0.0',
    '10.0.0.0/33',
    '::1/129',
    '::1/',
    '10.0.0.0/8/8',
    '10.0.0.0/-1',
    'fe80::1%eth0',
    '*',
    'unix:/x',
    '1.2.3.4:80',
    '[::1]',
    ' ',
  ])('is not %j', (text) => {
    expect(new TrustedProxies().add(text)).toBe(false);
  });

  test.each([['localhost'], ['10.0.0.0/33'], ['me:secret@h']])(
    '%s is refused by serve in one line, with exit code 2',
    async (text) => {
      const args = ['serve', '--listen', '127.0.0.1:0', '--to', 'h:1', '--trusted-proxy', text];
      const ended = await runWsconn(args);
      expect(ended).toMatchObject({ code: 2, stdout: '' });
      expect(ended.stderr).toMatch(
        /^[^\n]*--trusted-proxy must be an address such as 10\.0\.0\.7, .*, but is '[^\n]*'\n$/,
      );
      expect(ended.stderr).not.toContain('secret');
    },
  );

  test('takes addresses and networks of both families', () => {
    const proxies = proxiesOf('10.0.0.7', '192.168.0.0/16', 'fd00::/8', '::1');
    const has = (host: string): boolean => proxies.has({ host, port: 1 });
    const inside = ['10.0.0.7', '192.168.9.9', 'fd12::9', '::1', '0:0:0:0:0:0:0:1', 'fd00::1%eth0'];
    const outside = ['10.0.0.8', '192.169.0.1', 'fe80::1', '::2', 'unix', ''];
    expect(inside.filter((host) => !has(host))).toEqual([]);
    expect(outside.filter(has)).toEqual([]);
    expect(proxies.has(undefined)).toBe(false);
    expect(proxiesOf('unix').has(undefined)).toBe(true);
    expect(proxiesOf('unix').has({ host: '127.0.0.1', port: 1 })).toBe(false);
  });
});

describe('X-Forwarded-For', () => {
  const proxies = proxiesOf('10.0.0.0/8', 'fd00::/8');
  const peer = { host: '10.0.0.1', port: 5 };
  const from = (forwarded: string | undefined, host = peer.host): string | undefined =>
    proxies.clientOf(forwarded, { ...peer, host })?.host;

  test.each([
    ['203.0.113.7', '203.0.113.7'],
    ['6.6.6.6, 203.0.113.7', '203.0.113.7'],
    ['6.6.6.6, 203.0.113.7,10.0.0.9 , fd00::1', '203.0.113.7'],
    ['203.0.113.7:4711', '203.0.113.7'],
    ['[2001:db8::1]:4711', '2001:db8::1'],
    ['[2001:db8::1]', '2001:db8::1'],
    ['2001:db8::1', '2001:db8::1'],
    ['::ffff:203.0.113.7', '203.0.113.7'],
    // All are proxies: the first of them began.
    ['10.0.0.3, 10.0.0.2', '10.0.0.3'],
    // What cannot be read ends what can be believed.
    ['6.6.6.6, unknown', '10.0.0.1'],
    ['6.6.6.6, ', '10.0.0.1'],
    ['6.6.6.6, 7.7.7.7:99999, 10.0.0.2', '10.0.0.2'],
    ['6.6.6.6, <script>', '10.0.0.1'],
    ['', '10.0.0.1'],
    [undefined, '10.0.0.1'],
  ])('%j names the client %s', (forwarded, client) => {
    expect(from(forwarded)).toBe(client);
  });

  test('is not believed from anybody else', () => {
    expect(from('6.6.6.6', '192.0.2.1')).toBe('192.0.2.1');
  });

  test('of megabytes costs no more than what is read of it', () => {
    expect(from('10.0.0.2,'.repeat(200_000))).toBe('10.0.0.1');
  });
});

test('a request without trusted proxies comes from its socket, and shows what may be forged', () => {
  const request = {
    headers: { 'x-forwarded-for': '6.6.6.6' },
    socket: { remoteAddress: '::ffff:192.0.2.1', remotePort: 99 },
  } as unknown as IncomingMessage;
  expect(clientOf(request)).toEqual({ host: '192.0.2.1', port: 99 });
  expect(showClient(request)).toBe('192.0.2.1:99 (X-Forwarded-For: "6.6.6.6")');
  const unix = { headers: {}, socket: {} } as unknown as IncomingMessage;
  expect(clientOf(unix)).toBeUndefined();
  expect(showClient(unix)).toBe('a unix socket');
});

test('one address is an IPv4 address, or a network of IPv6 with 64 bits', () => {
  const key = (host: string): string => addressKey({ host, port: 1 });
  expect(key('192.0.2.1')).toBe('192.0.2.1');
  const same = ['2001:db8:0:1::5', '2001:db8:0:1:ffff:ffff:ffff:ffff', '2001:0db8::1:0:0:0:1'];
  expect(new Set(same.map(key))).toEqual(new Set(['2001:db8:0:1::/64']));
  expect(key('2001:db8:0:2::5')).toBe('2001:db8:0:2::/64');
  expect(key('::1')).toBe('0:0:0:0::/64');
  expect(key('fe80::1%eth0')).toBe('fe80:0:0:0::/64');
  expect(key('1:2:3:4:5:6:7:8')).toBe('1:2:3:4::/64');
  expect(key('1::')).toBe('1:0:0:0::/64');
  expect(addressKey(undefined)).toBe('unix');
});
