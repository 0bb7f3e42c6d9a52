import { networkInterfaces } from 'node:os';
import { promisify } from 'node:util';

import { describe, expect, test } from 'vitest';

import { AllowConnect, type Resolve } from '../../src/target/allow-connect.ts';
import { ConnectPattern } from '../../src/target/connect-pattern.ts';
import { TargetError } from '../../src/target/dial-target.ts';

/** Resolves every name to the same addresses. */
function resolvesTo(...addresses: readonly string[]): Resolve {
  return () => Promise.resolve(addresses.map((address) => ({ address })));
}

/** Returns the addresses that would be dialled, or the errno name of the refusal. */
async function dialled(
  patterns: readonly string[],
  host: string,
  port: number,
  resolve: Resolve = resolvesTo('198.51.100.7'),
): Promise<readonly string[] | string> {
  const all = patterns.map((text) => ConnectPattern.parse(text, '--allow-connect'));
  try {
    const checked = new AllowConnect(all, resolve).check({ host, port });
    if (!checked.lookup) return [checked.host];
    const found = await promisify(checked.lookup)(checked.host, { all: true });
    return (found as unknown as readonly { address: string }[]).map(({ address }) => address);
  } catch (error) {
    if (error instanceof TargetError) return error.errno;
    throw error;
  }
}

const RESOLVED = ['198.51.100.7'];

describe('a pattern', () => {
  test.each([
    ['db.example.org:5432', 'db.example.org', 5432, RESOLVED],
    ['db.example.org:5432', 'DB.Example.ORG.', 5432, RESOLVED],
    ['DB.example.org.:5432', 'db.example.org', 5432, RESOLVED],
    ['db.example.org:5432', 'db.example.org', 5433, 'EACCES'],
    ['db.example.org:5432', 'xdb.example.org', 5432, 'EACCES'],
    ['*.example.org:443', 'www.example.org', 443, RESOLVED],
    ['*.example.org:443', 'a.b.example.org', 443, RESOLVED],
    ['*.example.org:443', 'example.org', 443, 'EACCES'],
    ['*.example.org:443', 'wwwexample.org', 443, 'EACCES'],
    ['*.example.org:443', 'www.example.org.evil.net', 443, 'EACCES'],
    ['*:443', 'www.example.net', 443, RESOLVED],
    ['*:443', '198.51.100.1', 443, ['198.51.100.1']],
    ['*:443', '2001:db8::1', 443, ['2001:db8::1']],
    ['*:443', '198.51.100.1', 80, 'EACCES'],
    ['db.example.org:*', 'db.example.org', 1, RESOLVED],
    ['db.example.org:*', 'db.example.org', 65_535, RESOLVED],
    ['*:8000-8999', '198.51.100.1', 8000, ['198.51.100.1']],
    ['*:8000-8999', '198.51.100.1', 8999, ['198.51.100.1']],
    ['*:8000-8999', '198.51.100.1', 9000, 'EACCES'],
    ['10.0.0.0/8:22', '10.1.2.3', 22, ['10.1.2.3']],
    ['10.0.0.0/8:22', '11.1.2.3', 22, 'EACCES'],
    ['[2001:db8::/32]:443', '2001:db8:1::1', 443, ['2001:db8:1::1']],
    ['[2001:db8::/32]:443', '2001:db9::1', 443, 'EACCES'],
  ] as const)('%s lets %s port %i: %s', async (pattern, host, port, expected) => {
    expect(await dialled([pattern], host, port)).toEqual(expected);
  });

  test.each([
    '',
    'db.example.org',
    ':443',
    'db.example.org:',
    'db.example.org:0',
    'db.example.org:65536',
    'db.example.org:9-8',
    'db.example.org:1-2-3',
    'a*.example.org:443',
    '*.*:443',
    '*.:443',
    '*.1.2.3.4:443',
    '10.0.0.1/8:22',
    '10.0.0.0/33:22',
    '2001:db8::1:443',
    '[10.0.0.1]:22',
    '0x7f.1:22',
    '2130706433:22',
    'bücher.example:443',
    'a b:443',
    'http://a:443',
    'unix:/run/x',
  ])('%s is refused', (text) => {
    expect(() => ConnectPattern.parse(text, '--allow-connect')).toThrow(
      /^--allow-connect must be HOST:PORT, such as .*, but is '.*'$/,
    );
  });
});

describe('the addresses of a name', () => {
  test('are those that were checked, and the name is looked up once', async () => {
    let count = 0;
    // A name server that answers another time with another address.
    const rebinding: Resolve = () =>
      Promise.resolve([{ address: count++ === 0 ? '10.0.0.1' : '127.0.0.1' }]);
    expect(await dialled(['10.0.0.0/8:22'], 'evil.example.org', 22, rebinding)).toEqual([
      '10.0.0.1',
    ]);
    expect(count).toBe(1);
  });

  test('are checked each for itself', async () => {
    const mixed = resolvesTo('127.0.0.1', '10.0.0.1', '::1', '2001:db8::1', '::ffff:127.0.0.1');
    expect(await dialled(['10.0.0.0/8:22'], 'mixed.example.org', 22, mixed)).toEqual(['10.0.0.1']);
    expect(await dialled(['*:22'], 'mixed.example.org', 22, mixed)).toEqual([
      '10.0.0.1',
      '2001:db8::1',
    ]);
  });

  test('are not looked up where no pattern could let them through', async () => {
    const never: Resolve = () => Promise.reject(new Error('looked up'));
    expect(await dialled(['a.example.org:22'], 'b.example.org', 22, never)).toBe('EACCES');
    expect(await dialled(['10.0.0.0/8:22'], 'b.example.org', 23, never)).toBe('EACCES');
  });

  test('may lead to what both a name and an address list', async () => {
    const local = resolvesTo('127.0.0.1');
    expect(await dialled(['a.example.org:22'], 'a.example.org', 22, local)).toBe('EACCES');
    expect(await dialled(['a.example.org:22', '127.0.0.1:22'], 'a.example.org', 22, local)).toEqual(
      ['127.0.0.1'],
    );
  });
});

describe('what is special', () => {
  const own = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .map(({ address }) => address);

  test.each([
    '127.0.0.1',
    '127.255.255.254',
    '0.0.0.0',
    '169.254.169.254',
    '::1',
    '::',
    'fe80::1',
    '::ffff:127.0.0.1',
    '::ffff:a9fe:a9fe',
    '::127.0.0.1',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
    '::ffff:0:127.0.0.1',
    '2001:0:1::1',
    'fd00:ec2::254',
    '100.100.100.200',
    '168.63.129.16',
    '224.0.0.1',
    'ff02::1',
    '255.255.255.255',
    ...own,
  ])('%s is not among all hosts, nor in a network of others', async (host) => {
    for (const pattern of ['*:443', '0.0.0.0/0:443', '[::/0]:443', '126.0.0.0/7:443']) {
      expect(await dialled([pattern], host, 443)).toBe('EACCES');
      expect(await dialled([pattern], 'x.example.org', 443, resolvesTo(host))).toBe('EACCES');
    }
    expect(await dialled(['*.example.org:443'], 'x.example.org', 443, resolvesTo(host))).toBe(
      'EACCES',
    );
  });

  test.each([
    ['127.0.0.1:443', '127.0.0.1', ['127.0.0.1']],
    ['127.0.0.0/8:443', '127.0.0.9', ['127.0.0.9']],
    ['[::1]:443', '::1', ['::1']],
    ['169.254.0.0/16:443', '169.254.169.254', ['169.254.169.254']],
    ['127.0.0.1:443', '::ffff:127.0.0.1', ['127.0.0.1']],
    ['127.0.0.1:443', '127.0.0.2', 'EACCES'],
  ] as const)('%s lets %s: %s', async (pattern, host, expected) => {
    expect(await dialled([pattern], host, 443)).toEqual(expected);
  });

  test('an address of this machine is let through by itself alone', async () => {
    for (const address of own.filter((one) => !one.includes(':'))) {
      expect(await dialled([`${address}:443`], address, 443)).toEqual([address]);
    }
  });

  test('localhost is loopback where it is listed, and nothing else', async () => {
    expect(await dialled(['localhost:22'], 'LOCALHOST.', 22, resolvesTo('127.0.0.1'))).toEqual([
      '127.0.0.1',
    ]);
    expect(await dialled(['*:22'], 'localhost', 22, resolvesTo('127.0.0.1', '::1'))).toBe('EACCES');
    expect(await dialled(['localhost:22'], 'localhost', 22, resolvesTo('169.254.1.1'))).toBe(
      'EACCES',
    );
  });
});

test.each([
  '0x7f.1',
  '0x7f000001',
  '0X7F.0.0.1',
  '2130706433',
  '017700000001',
  '127.1',
  '127.0.0.1.',
  '0177.0.0.1',
  '1.2.3.4.5',
  '0x',
  'x.0x7f',
  '１２７.0.0.1',
  '127。0。0。1',
  'a..b',
  '.',
  '-a.example.org',
  'a b',
  'a\nconnect b',
  'fe80::1%lo',
  '[::1]',
  `${'a'.repeat(64)}.org`,
  `${'a.'.repeat(127)}org`,
])('%j is neither a name nor an address, and is not looked up', async (host) => {
  const never: Resolve = () => Promise.reject(new Error('looked up'));
  expect(await dialled(['*:*', '127.0.0.0/8:*', '0.0.0.0/0:*'], host, 80, never)).toBe('EACCES');
});
