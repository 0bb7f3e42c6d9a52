/** What both functions promise of the stream, over every kind of stream, with real peers. */
import { once } from 'node:events';
import type { Duplex } from 'node:stream';

import { describe, expect, onTestFinished, test } from 'vitest';

import { bytesOf, sha256 } from '../../src/conformance/frame/bytes.ts';
import { handle, select } from '../../src/multistream/index.ts';
import { readAll, readExactly } from '../support/reading.ts';
import { kinds } from './pairs.ts';
import { listenersOf } from './raw-end.ts';

describe.each(kinds)('over $name', ({ make }) => {
  async function pair(): Promise<{ a: Duplex; b: Duplex }> {
    const made = await make({ allowHalfOpen: true });
    onTestFinished(() => made.stop());
    return made;
  }

  test('both ends agree, and all that follows is payload', async () => {
    const { a, b } = await pair();
    const before = [listenersOf(a), listenersOf(b)];
    const [one, other] = await Promise.all([select(a, '/a/1'), handle(b, ['/b/1', '/a/1'])]);
    expect(one).toEqual({ protocol: '/a/1', stream: a });
    expect(other).toEqual({ protocol: '/a/1', stream: b });
    expect([listenersOf(a), listenersOf(b)]).toEqual(before);
    const bytes = [bytesOf(1, 200_000), bytesOf(2, 100_000)] as const;
    a.end(bytes[0]);
    b.end(bytes[1]);
    const [atB, atA] = await Promise.all([readAll(b), readAll(a)]);
    expect([sha256(atB), sha256(atA)]).toEqual([sha256(bytes[0]), sha256(bytes[1])]);
  });

  test('the first that the other end takes is taken, in the order of who proposes', async () => {
    const { a, b } = await pair();
    const agreed = Promise.all([select(a, ['/x', '/b', '/a']), handle(b, ['/a', '/b'])]);
    expect((await agreed).map(({ protocol }) => protocol)).toEqual(['/b', '/b']);
  });

  test('first bytes come before the answer has gone, and nothing of them is lost', async () => {
    const { a, b } = await pair();
    const selecting = select(a, '/a', { firstBytes: '{"id":1}\n' });
    a.write('more');
    const { stream } = await handle(b, '/a');
    // Once 'readable' is asked for, what is here already counts.
    await once(stream, 'readable');
    expect(String(await readExactly(stream, 13))).toBe('{"id":1}\nmore');
    b.write('answer');
    await selecting;
    expect(String(await readExactly(a, 6))).toBe('answer');
  });

  test('payload that ends with the stream comes whole, and so does the end', async () => {
    const { a, b } = await pair();
    const selecting = select(a, '/a', { firstBytes: 'all' });
    a.end();
    const { stream } = await handle(b, '/a');
    expect(String(await readAll(stream))).toBe('all');
    b.end('done');
    expect(String(await readAll((await selecting).stream))).toBe('done');
  });

  test('after a refusal the stream is as it was, and another try may succeed', async () => {
    const { a, b } = await pair();
    const before = [listenersOf(a), listenersOf(b)];
    const handling = handle(b, '/a');
    await expect(select(a, ['/x', '/y'])).rejects.toMatchObject({ code: 'EPROTONOSUPPORT' });
    expect(listenersOf(a)).toEqual(before[0]);
    expect((await select(a, '/a')).protocol).toBe('/a');
    expect((await handling).protocol).toBe('/a');
    a.write('x');
    expect(String(await readExactly(b, 1))).toBe('x');
    expect([listenersOf(a), listenersOf(b)]).toEqual(before);
  });

  test('who ends after refusals is told apart from who is cut off', async () => {
    const { a, b } = await pair();
    const handling = handle(b, '/a');
    await expect(select(a, '/x')).rejects.toMatchObject({ code: 'EPROTONOSUPPORT' });
    a.end();
    await expect(handling).rejects.toMatchObject({
      code: 'EPROTONOSUPPORT',
      message: expect.stringContaining('"/x"') as string,
    });
    expect(b.destroyed).toBe(false);
  });

  test('a stream that is lost on the way fails both ends with ECONNRESET', async () => {
    const { a, b } = await pair();
    const failed = [select(a, '/x'), handle(b, '/a')].map((one) =>
      one.then(
        () => expect.unreachable(),
        (error: unknown) => error,
      ),
    );
    const cause = new Error('enough');
    a.destroy(cause);
    expect(await failed[0]).toMatchObject({ code: 'ECONNRESET', cause });
    // Not every kind passes it on.
    b.destroy();
    expect(await failed[1]).toMatchObject({ code: 'ECONNRESET' });
  });
});
