/** The file of tokens: what each line means, and how a wrong one is told without its token. */
import { describe, expect, test } from 'vitest';

import type { Failure } from '../../src/console/failure.ts';
import { Targets } from '../../src/target/targets.ts';
import { hashToken, matches, parseHash } from '../../src/token/token-hash.ts';
import { parseTokens, type TokenEntry } from '../../src/token/token-file.ts';

const place = { host: '127.0.0.1', port: 1 };
const TARGETS = new Targets(['', 'ssh', 'db'].map((name) => ({ name, place })));
const HASH = await hashToken('s3cret-hashed');

function read(text: string): readonly TokenEntry[] {
  return parseTokens(text, 'FILE', TARGETS);
}

/** Lists tokens as `name token targets`. */
function shown(text: string): string[] {
  return read(text).map(({ grant: { name = '-', targets }, token }) => {
    const opens = targets ? [...targets].map((each) => `<${each}>`).join('') : 'all';
    return `${name} ${typeof token === 'string' ? token : 'hash'} ${opens}`;
  });
}

describe('a file', () => {
  test('of one line without a colon is the token, with the white space around it left out', () => {
    expect(shown('\n  open-sesame \r\n')).toEqual(['- open-sesame all']);
  });

  test('of many lines holds names, tokens, hashes and targets between comments', () => {
    const lines = [
      '\ufeff# our clients',
      '',
      'laptop:one\r',
      'laptop:two:ssh',
      `  backup:${HASH}:db, / `,
      '# gone:three',
    ];
    expect(shown(lines.join('\n'))).toEqual([
      'laptop one all',
      'laptop two <ssh>',
      'backup hash <db><>',
    ]);
  });

  test('may hold one named token and no more', () => {
    expect(shown('me@home.example:one')).toEqual(['me@home.example one all']);
  });

  test.each([
    ['', 'FILE, holds no token'],
    ['# laptop:s3cret', 'FILE, holds no token'],
    ['#s3cret', 'FILE, holds no token'],
    ['s3cret with spaces', 'FILE, holds no usable token'],
    [HASH, 'FILE, holds a hash without a name'],
    ['a:b\ns3cret', 'FILE, line 2 has no name: it must be NAME:TOKEN'],
    ['# x\ns3cret', 'FILE, line 2 has no name'],
    ['a:b\n\n:s3cret', 'FILE, line 3 must begin with a name'],
    ['a b:s3cret', 'FILE, line 1 must begin with a name'],
    ['a:', 'FILE, line 1 holds no usable token'],
    ['a:s3cret x', 'FILE, line 1 holds no usable token'],
    ['a:s3crét', 'FILE, line 1 holds no usable token'],
    ['a:s3cret:', 'FILE, line 1 lacks the name of a target'],
    ['a:s3cret:ssh,,db', 'FILE, line 1 lacks the name of a target'],
    ['a:s3cret:ssh:db', 'FILE, line 1 has too many colons'],
    [
      'a:b\na:ssh:s3cret',
      'FILE, line 2 names a target that --to does not: behind its last colon may be /, ssh, db',
    ],
    ['a:s3cret\n\nb:s3cret', 'FILE, line 3 holds the same token as line 1'],
    [`a:${HASH}\nb:${HASH}`, 'FILE, line 2 holds the same token as line 1'],
    ['a:scrypt$s3cret', 'FILE, line 1 holds a hash that has not 6 or 7 fields'],
    [
      'a:scrypt$3$8$1$s3cretsalt$s3crethash',
      'FILE, line 1 holds a hash that has an N that is no power',
    ],
    [
      'a:scrypt$1048576$8$1$s3cretsaltXX$s3crethashXX',
      'FILE, line 1 holds a hash that has an N and r that take over 64 MiB',
    ],
    [
      'a:scrypt$16384$0$1$s3cretsaltXX$s3crethashXX',
      'FILE, line 1 holds a hash that has an N and r',
    ],
    ['a:scrypt$16384$8$99$s3cretsaltXX$s3crethashXX', 'FILE, line 1 holds a hash that has a p'],
    [
      'a:scrypt$16384$8$1$s3cre!salt$s3crethashXX',
      'FILE, line 1 holds a hash that has no usable salt',
    ],
    ['a:scrypt$16384$8$1$s3cretsaltXX$s3c', 'FILE, line 1 holds a hash that has no usable hash'],
    [`a:${HASH}X`, 'FILE, line 1 holds a hash that has a mark'],
  ])('%j is refused with the number of its line, and without the token', (text, message) => {
    let failure: Failure | undefined;
    try {
      read(text);
    } catch (error) {
      failure = error as Failure;
    }
    expect(failure?.name).toBe('Failure');
    expect(failure?.message).toContain(message);
    expect(failure?.message).not.toContain('s3c');
    expect(failure?.message).not.toContain('\n');
  });
});

describe('a hash', () => {
  test('is that of its token and of no other', async () => {
    const hash = parseHash(HASH);
    if (typeof hash === 'string') throw new Error(hash);
    expect(await matches(hash, 's3cret-hashed')).toBe(true);
    expect(await matches(hash, 's3cret-hashee')).toBe(false);
  });

  test('of the same token is another each time', async () => {
    expect(await hashToken('s3cret-hashed')).not.toBe(HASH);
  });

  test('has the vector of RFC 7914, section 12', async () => {
    const salt = Buffer.from('SodiumChloride').toString('base64url');
    const hash =
      '7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2' +
      'd5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887';
    const encoded = Buffer.from(hash, 'hex').toString('base64url');
    const parsed = parseHash(`scrypt$16384$8$1$${salt}$${encoded}`);
    if (typeof parsed === 'string') throw new Error(parsed);
    expect(await matches(parsed, 'pleaseletmein')).toBe(true);
  });
});
