/** The PROXY protocol, versions 1 and 2, byte by byte. */
import { expect, test } from 'vitest';

import { parseProxyHeader } from '../../src/admit/proxy-header.ts';

const SIGNATURE = '0d0a0d0a000d0a515549540a';

function v2(command: string, rest: string, length = rest.length / 2): Buffer {
  return Buffer.from(SIGNATURE + command + length.toString(16).padStart(4, '0') + rest, 'hex');
}

const V4 = 'cb007107' + '0a000001' + '1267' + '01bb';
const V6 = '20010db8000000000000000000000001' + 'fd000000000000000000000000000001' + '126701bb';
const MAPPED = '00000000000000000000ffffcb007107' + 'fd000000000000000000000000000001' + '126701bb';
const [LINE4, LINE6] = [
  'PROXY TCP4 203.0.113.7 10.0.0.1 4711 443\r\n',
  'PROXY TCP6 2001:db8::1 fd00::1 4711 443\r\n',
];

test.each([
  ['a line of IPv4', Buffer.from(LINE4), '203.0.113.7'],
  ['a line of IPv6', Buffer.from(LINE6), '2001:db8::1'],
  ['a line of an unknown family', Buffer.from('PROXY UNKNOWN\r\n'), undefined],
  ['one with more', Buffer.from('PROXY UNKNOWN ffff:f 1 2 3\r\n'), undefined],
  ['version 2 of IPv4', v2('2111', V4), '203.0.113.7'],
  ['version 2 of IPv6', v2('2121', V6), '2001:db8::1'],
  ['version 2 of IPv4 in IPv6', v2('2121', MAPPED), '203.0.113.7'],
  ['version 2 with more behind', v2('2111', `${V4}030004a1b2c3d4`), '203.0.113.7'],
  ['a health check', v2('2000', ''), undefined],
  ['a health check with addresses', v2('2011', V4), undefined],
  ['an unknown transport', v2('2100', ''), undefined],
  ['a unix socket', v2('2131', '00'.repeat(216)), undefined],
])('%s is read as a whole, whatever follows, and a part of it is incomplete', (_, bytes, host) => {
  const client = host === undefined ? undefined : { host, port: 4711 };
  const whole = { kind: 'header', length: bytes.length, client };
  expect(parseProxyHeader(bytes)).toEqual(whole);
  expect(parseProxyHeader(Buffer.concat([bytes, Buffer.from('GET / HTTP/1.1\r\n')]))).toEqual(
    whole,
  );
  for (let length = 0; length < bytes.length; length++) {
    expect(parseProxyHeader(bytes.subarray(0, length))).toEqual({ kind: 'incomplete' });
  }
});

test.each(
  ['GET / HTTP/1.1\r\n', 'P', 'PATCH /', 'PROXy ', '\r\nGET', '\x16\x03\x01'].map((text) => [text]),
)('%j is none, or may become one', (text) => {
  const kind = text === 'P' ? 'incomplete' : 'none';
  expect(parseProxyHeader(Buffer.from(text, 'latin1'))).toEqual({ kind });
});

test.each([
  ['PROXY TCP5 1.2.3.4 1.2.3.4 1 1\r\n', 'family'],
  ['PROXY constructor 1.2.3.4 1.2.3.4 1 1\r\n', 'family'],
  ['PROXY TCP4 ::1 1.2.3.4 1 1\r\n', 'addresses'],
  ['PROXY TCP6 1.2.3.4 ::1 1 1\r\n', 'addresses'],
  ['PROXY TCP4 1.2.3.4 1.2.3 1 1\r\n', 'addresses'],
  ['PROXY TCP4 1.2.3.4 1.2.3.4 1 1 1\r\n', 'addresses'],
  ['PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n', 'ports'],
  ['PROXY TCP4 1.2.3.4 1.2.3.4 -1 1\r\n', 'ports'],
  ['PROXY TCP4 1.2.3.4\r\n', 'addresses'],
  [`PROXY ${'x'.repeat(200)}\r\n`, 'no end'],
])('%j is malformed', (text, why) => {
  expect(parseProxyHeader(Buffer.from(text))).toMatchObject({
    kind: 'malformed',
    why: expect.stringContaining(why) as string,
  });
});

test.each([
  ['another version', v2('1111', V4), 'version'],
  ['another command', v2('2211', V4), 'version'],
  ['addresses that are cut', v2('2111', V4.slice(2)), 'too short'],
  ['IPv6 in the room of IPv4', v2('2121', V4), 'too short'],
  ['more than anybody needs', v2('2111', V4, 0xffff), 'longer than 4096'],
])('version 2 with %s is malformed', (_, bytes, why) => {
  expect(parseProxyHeader(bytes)).toMatchObject({
    kind: 'malformed',
    why: expect.stringContaining(why) as string,
  });
});
