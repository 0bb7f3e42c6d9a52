import { expect, test } from 'vitest';

import { IpRange, parseAddress, showAddress } from '../../src/target/ip-range.ts';

function shown(text: string): string | undefined {
  const address = parseAddress(text);
  return address && showAddress(address);
}

test.each([
  ['10.1.2.3', '10.1.2.3'],
  ['255.255.255.255', '255.255.255.255'],
  ['::', '::'],
  ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
  ['1::', '1::'],
  ['::ffff:127.0.0.1', '127.0.0.1'],
  ['::ffff:7f00:1', '127.0.0.1'],
  ['0:0:0:0:0:FFFF:169.254.169.254', '169.254.169.254'],
])('%s is the address %s', (text, usual) => {
  expect(shown(text)).toBe(usual);
});

test.each([
  '',
  'localhost',
  '127.1',
  '0x7f.1',
  '2130706433',
  '010.0.0.1',
  '1.2.3.4.',
  '1.2.3.256',
  'fe80::1%eth0',
  '[::1]',
])('%s is no address', (text) => {
  expect(parseAddress(text)).toBeUndefined();
});

function has(range: string, address: string): boolean | undefined {
  const parsed = parseAddress(address);
  return parsed && IpRange.parse(range)?.has(parsed);
}

test.each([
  ['10.0.0.0/8', '10.255.255.255', true],
  ['10.0.0.0/8', '11.0.0.0', false],
  ['0.0.0.0/0', '255.0.0.1', true],
  ['0.0.0.0/0', '::1', false],
  ['::/0', '1.2.3.4', false],
  ['::/0', '2001:db8::1', true],
  ['2001:db8::/32', '2001:db8:ffff::', true],
  ['2001:db8::/32', '2001:db9::', false],
  ['10.0.0.1', '10.0.0.1', true],
  ['10.0.0.1', '10.0.0.2', false],
  ['10.0.0.0/8', '::ffff:10.1.1.1', true],
  ['::ffff:10.0.0.0/104', '10.1.1.1', true],
])('%s has %s: %s', (range, address, expected) => {
  expect(has(range, address)).toBe(expected);
});

test.each(['10.0.0.1/8', '10.0.0.0/33', '::/129', '::ffff:0:0/95', '10.0.0.0/', '/8', 'x/8'])(
  '%s is no range',
  (text) => {
    expect(IpRange.parse(text)).toBeUndefined();
  },
);

test('a range lies within another one when all of its addresses do', () => {
  const within = (inner: string, outer: string): boolean | undefined => {
    const [one, other] = [IpRange.parse(inner), IpRange.parse(outer)];
    return one && other && one.within(other);
  };
  expect(within('127.0.0.1', '127.0.0.0/8')).toBe(true);
  expect(within('127.0.0.0/8', '127.0.0.0/8')).toBe(true);
  expect(within('0.0.0.0/0', '127.0.0.0/8')).toBe(false);
  expect(within('126.0.0.0/8', '127.0.0.0/8')).toBe(false);
  expect(within('::/0', '0.0.0.0/0')).toBe(false);
});
