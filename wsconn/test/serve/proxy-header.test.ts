import { expect, test } from 'vitest';

import { LOCAL_HEADER, proxyHeader } from '../../src/target/proxy-header.ts';

/** The 12 bytes that each header begins with (section 2.2 of the specification). */
const SIGNATURE = '0d0a0d0a000d0a515549540a';

function hex(from: string, to: string): string {
  const header = proxyHeader({ from: { host: from, port: 0x1234 }, to: { host: to, port: 443 } });
  expect(header.toString('hex', 0, 12)).toBe(SIGNATURE);
  return header.toString('hex', 12);
}

test('an address of IPv4, also one that is written as IPv6', () => {
  const expected = '21' + '11' + '000c' + 'c0000201' + '7f000001' + '1234' + '01bb';
  expect(hex('192.0.2.1', '127.0.0.1')).toBe(expected);
  expect(hex('::ffff:192.0.2.1', '::ffff:127.0.0.1')).toBe(expected);
  expect(hex('::ffff:c000:201', '127.0.0.1')).toBe(expected);
  expect(hex('::FFFF:C000:0201', '::ffff:7f00:1')).toBe(expected);
});

test.each([
  ['2001:db8::1', '20010db8000000000000000000000001'],
  ['::1', '00000000000000000000000000000001'],
  ['::', '00000000000000000000000000000000'],
  ['1:2:3:4:5:6:7:8', '00010002000300040005000600070008'],
  ['fe80::1%eth0', 'fe800000000000000000000000000001'],
  ['64:ff9b::192.0.2.1', '0064ff9b0000000000000000c0000201'],
  ['1::', '00010000000000000000000000000000'],
])('the IPv6 address %s', (host, bytes) => {
  const to = '20010db80000000000000000000000ff';
  expect(hex(host, '2001:db8::ff')).toBe('21' + '21' + '0024' + bytes + to + '1234' + '01bb');
});

test('addresses of two families are both written as IPv6', () => {
  const [v4, v6] = ['00000000000000000000ffffc0000201', '20010db8000000000000000000000001'];
  expect(hex('192.0.2.1', '2001:db8::1')).toBe(`21210024${v4}${v6}123401bb`);
  expect(hex('2001:db8::1', '192.0.2.1')).toBe(`21210024${v6}${v4}123401bb`);
});

test('an unknown client, or what is no address, is nobody', () => {
  const nobody = `${SIGNATURE}20000000`;
  expect(LOCAL_HEADER.toString('hex')).toBe(nobody);
  expect(proxyHeader(undefined).toString('hex')).toBe(nobody);
  for (const host of ['', 'localhost', '1.2.3', '1.2.3.4.5', ':::', 'unknown']) {
    const ends = { from: { host, port: 1 }, to: { host: '127.0.0.1', port: 2 } };
    expect(proxyHeader(ends).toString('hex')).toBe(nobody);
  }
});
