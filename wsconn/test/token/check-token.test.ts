/** What a server finds out about a token, and what that costs it. */
import { randomBytes } from 'node:crypto';

import { beforeEach, describe, expect, test, vi } from 'vitest';

import { makeCheckToken, TokenChecks } from '../../src/token/check-token.ts';
import { BUSY, type CheckToken } from '../../src/token/grant.ts';
import { hashToken } from '../../src/token/token-hash.ts';
import { parseTokens } from '../../src/token/token-file.ts';

/** How often scrypt ran, and what holds it back. */
const work = vi.hoisted(() => ({ count: 0, atOnce: 0, most: 0, gate: Promise.resolve() }));

vi.mock(import('node:crypto'), async (original) => {
  const crypto = await original();
  const scrypt = (...args: unknown[]): void => {
    work.count++;
    work.most = Math.max(work.most, ++work.atOnce);
    const done = args.pop() as (...results: unknown[]) => void;
    const settle = (...results: unknown[]): void => {
      work.atOnce--;
      done(...results);
    };
    work.gate.then(() => {
      (crypto.scrypt as (...all: unknown[]) => void)(...args, settle);
    }, settle);
  };
  return { ...crypto, scrypt };
});

beforeEach(() => {
  Object.assign(work, { count: 0, atOnce: 0, most: 0, gate: Promise.resolve() });
});

const HASHES = await Promise.all(['one', 'two', 'three'].map((token) => hashToken(token)));

/** Returns what checks the tokens of a file; hashes without a mark where it says so. */
function checker(marked: boolean, room = Infinity): CheckToken {
  const hashes = HASHES.map((hash) => (marked ? hash : hash.replace(/\$[^$]*$/, '')));
  const lines = ['plain:zero', ...hashes.map((hash, index) => `hash${String(index + 1)}:${hash}`)];
  return makeCheckToken(parseTokens(lines.join('\n'), 'FILE'), new TokenChecks(() => room));
}

/** Waits for answers, of which some are there already. */
function allOf(answers: readonly unknown[]): Promise<unknown[]> {
  return Promise.all(answers.map((answer) => Promise.resolve(answer)));
}

/** Holds scrypt back until the function that it returns is called. */
function hold(): () => void {
  let open = (): void => undefined;
  work.gate = new Promise((resolve) => {
    open = resolve;
  });
  return open;
}

describe.each([true, false])('with hashes that bear a mark: %s', (marked) => {
  test('each token is known by its name, and another is not', async () => {
    const check = checker(marked);
    expect(await check('Bearer zero', 'a')).toEqual({ name: 'plain', targets: undefined });
    expect(await check('bearer  two ', 'a')).toMatchObject({ name: 'hash2' });
    expect(await check('Bearer three', 'a')).toMatchObject({ name: 'hash3' });
    for (const wrong of [
      undefined,
      '',
      'Bearer',
      'Bearer four',
      'Basic two',
      'two',
      'Bearer two x',
    ])
      expect(await check(wrong, 'a')).toBeNull();
  });

  test('a right token costs scrypt once, however many send it at once and later', async () => {
    const check = checker(marked);
    const first = await Promise.all([1, 2, 3].map(() => Promise.resolve(check('Bearer one', 'a'))));
    expect(first.map((grant) => (grant as { name: string }).name)).toEqual(Array(3).fill('hash1'));
    const cost = marked ? 1 : HASHES.length;
    expect(work.count).toBe(cost);
    expect(await check('Bearer one', 'b')).toMatchObject({ name: 'hash1' });
    expect(work.count).toBe(cost);
  });

  test('a check that is made again forgets what it knew', async () => {
    await checker(marked)('Bearer one', 'a');
    const before = work.count;
    await checker(marked)('Bearer one', 'a');
    expect(work.count).toBe(2 * before);
  });
});

test('a plain token, and none, cost no scrypt', async () => {
  const check = checker(false);
  await check('Bearer zero', 'a');
  await check(undefined, 'a');
  expect(work.count).toBe(0);
});

test('wrong tokens cost no scrypt where the hashes bear marks', () => {
  const check = checker(true);
  for (let i = 0; i < 1000; i++) {
    expect(check(`Bearer ${randomBytes(16).toString('hex')}`, 'a')).toBeNull();
  }
  expect(work.count).toBe(0);
});

describe('while wrong tokens wait for hashes without a mark', () => {
  test('two run at once, four of an address wait, and another address comes between', async () => {
    const check = checker(false);
    const open = hold();
    const flood = Array.from({ length: 100 }, (_, i) => check(`Bearer wrong${String(i)}`, 'a'));
    const order: string[] = [];
    const right = Promise.resolve(check('Bearer two', 'b')).then((grant) => {
      order.push('right');
      return grant;
    });
    const all = flood.map(async (answer) => {
      const grant = await answer;
      if (grant === null) order.push('wrong');
      return grant;
    });
    open();
    expect(await right).toMatchObject({ name: 'hash2' });
    const answers = await Promise.all(all);
    expect(answers.filter((answer) => answer === null)).toHaveLength(4);
    expect(answers.filter((answer) => answer === BUSY)).toHaveLength(96);
    // Of its three checks each waits for one of the others at most.
    expect(order.indexOf('right')).toBeLessThanOrEqual(2);
    expect(work.most).toBe(2);
  });

  test('what waits in all leaves room for others, and plain tokens pass', async () => {
    const check = checker(false, 3);
    const open = hold();
    const answers = Array.from({ length: 9 }, (_, i) =>
      check(`Bearer wrong${String(i)}`, String(i)),
    );
    expect(answers.filter((answer) => answer === BUSY)).toHaveLength(6);
    expect(check('Bearer zero', '0')).toMatchObject({ name: 'plain' });
    open();
    expect(await allOf(answers.slice(0, 3))).toEqual([null, null, null]);
    expect(await check('Bearer one', '9')).toMatchObject({ name: 'hash1' });
  });

  test('one that many send at once takes a place for each', async () => {
    const check = checker(false);
    const open = hold();
    const answers = Array.from({ length: 9 }, () => check('Bearer wrong', 'a'));
    expect(answers.filter((answer) => answer === BUSY)).toHaveLength(5);
    open();
    await allOf(answers);
    expect(work.count).toBe(HASHES.length);
  });
});

test('an error of scrypt is told to who waits, and the next try is a new one', async () => {
  const check = checker(true);
  work.gate = Promise.reject(new Error('no memory'));
  await expect(check('Bearer one', 'a')).rejects.toThrow('no memory');
  work.gate = Promise.resolve();
  expect(await check('Bearer one', 'a')).toMatchObject({ name: 'hash1' });
});
