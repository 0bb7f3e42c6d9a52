import type net from 'node:net';
import { Duplex, PassThrough } from 'node:stream';

import { describe, expect, onTestFinished, test } from 'vitest';

import { bytesOf, sha256 } from '../src/conformance/frame/bytes.ts';
import { join, type WsConnAdapter } from '../src/index.ts';
import { closeOf, next, record, turns } from './support/events.ts';
import { adapterPair, tcpPair } from './support/pairs/pairs.ts';
import { readAll, readExactly } from './support/reading.ts';

const SIZE = 4 * 1024 * 1024;

type End = net.Socket | WsConnAdapter;

interface Chain {
  /** The two ends, and the two streams between them that are to be joined. */
  readonly left: End;
  readonly a: End;
  readonly b: End;
  readonly right: End;
}

type MakePair = typeof tcpPair | typeof adapterPair;

/**
 * Makes two connections whose inner ends wait to be joined; what is left of them is stopped after
 * the test.
 */
async function chain(makeLeft: MakePair, makeRight: MakePair): Promise<Chain> {
  const options = { allowHalfOpen: true };
  const [first, second] = [await makeLeft(options), await makeRight(options)];
  for (const end of [first.a, first.b, second.a, second.b]) end.on('error', () => undefined);
  onTestFinished(async () => {
    await Promise.all([first.stop(), second.stop()]);
  });
  return { left: first.a, a: first.b, b: second.a, right: second.b };
}

function listeners(stream: Duplex): Record<string, number> {
  return Object.fromEntries(
    stream.eventNames().map((name) => [String(name), stream.listenerCount(name)]),
  );
}

const KINDS: readonly (readonly [string, MakePair, MakePair])[] = [
  ['TCP and TCP', tcpPair, tcpPair],
  ['TCP and an adapter', tcpPair, adapterPair],
  ['an adapter and TCP', adapterPair, tcpPair],
  ['two adapters', adapterPair, adapterPair],
];

describe.each(KINDS)('joining %s', (_name, makeLeft, makeRight) => {
  test('carries both directions, each with its own end', async () => {
    const { left, a, b, right } = await chain(makeLeft, makeRight);
    const joined = join(a, b);
    const [there, back] = [bytesOf(1, SIZE), bytesOf(2, SIZE)];
    left.end(there);
    expect(sha256(await readAll(right))).toBe(sha256(there));
    expect(left.readableEnded).toBe(false);
    right.end(back);
    expect(sha256(await readAll(left))).toBe(sha256(back));
    await expect(joined).resolves.toBeUndefined();
  });

  test('leaves no listener on either', async () => {
    const { left, a, b, right } = await chain(makeLeft, makeRight);
    const before = [listeners(a), listeners(b)];
    const joined = join(a, b);
    left.end('there');
    right.end('back');
    left.resume();
    right.resume();
    await expect(joined).resolves.toBeUndefined();
    await turns(2);
    const after = [listeners(a), listeners(b)];
    // A stream that has ended loses listeners of its own.
    for (const [i, counts] of after.entries()) {
      for (const [name, count] of Object.entries(counts)) {
        expect({ name, most: before[i]?.[name] ?? 0 }).toEqual({ name, most: count });
      }
    }
  });

  test('holds the writer when nobody reads at the far end', async () => {
    const { left, a, b, right } = await chain(makeLeft, makeRight);
    const joined = join(a, b);
    const bytes = bytesOf(3, 48 * 1024 * 1024);
    let sent = false;
    left.end(bytes, () => {
      sent = true;
    });
    // The kernel's buffers fill up; then nothing moves any more.
    for (let before = -1; before !== a.bytesRead;) {
      before = a.bytesRead;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    expect(sent).toBe(false);
    expect(a.readableLength).toBeLessThanOrEqual(1024 * 1024);
    expect(b.writableLength).toBeLessThanOrEqual(1024 * 1024);
    const received = readAll(right);
    right.end();
    left.resume();
    expect(sha256(await received)).toBe(sha256(bytes));
    await expect(joined).resolves.toBeUndefined();
  });

  test('passes a reset on as a reset, and rejects with it', async () => {
    const { left, a, b, right } = await chain(makeLeft, makeRight);
    const far = record(right.resume());
    const joined = join(a, b);
    left.write('some bytes');
    await readSome(right);
    left.resetAndDestroy();
    await expect(joined).rejects.toMatchObject({ code: 'ECONNRESET' });
    await far.closed;
    expect(far.errors[0]).toMatchObject({ code: 'ECONNRESET' });
    expect(far.count('end')).toBe(0);
    expect([a.destroyed, b.destroyed]).toEqual([true, true]);
  });

  test('rejects with the error of one, and resets the other', async () => {
    const { a, b, right } = await chain(makeLeft, makeRight);
    const far = record(right.resume());
    const joined = join(a, b);
    const first = new Error('first');
    a.destroy(first);
    await expect(joined).rejects.toBe(first);
    await far.closed;
    expect(far.errors[0]).toMatchObject({ code: 'ECONNRESET' });
  });

  test('rejects with ECONNRESET when one is closed before its end', async () => {
    const { a, b, right } = await chain(makeLeft, makeRight);
    const far = record(right.resume());
    const joined = join(a, b);
    a.destroy();
    await expect(joined).rejects.toMatchObject({ code: 'ECONNRESET' });
    await far.closed;
    expect(far.errors[0]).toMatchObject({ code: 'ECONNRESET' });
  });

  test('rejects when one was closed before they were joined', async () => {
    const { a, b } = await chain(makeLeft, makeRight);
    const closed = closeOf(a);
    a.destroy();
    await closed;
    await expect(join(a, b)).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(b.destroyed).toBe(true);
  });

  test('passes on an end that had come before they were joined', async () => {
    const { left, a, b, right } = await chain(makeLeft, makeRight);
    left.end();
    await readAll(a);
    const joined = join(a, b);
    await readAll(right);
    right.end('answer');
    expect((await readAll(left)).toString()).toBe('answer');
    await expect(joined).resolves.toBeUndefined();
  });
});

test('a peer of bare TCP sees a reset of the far end as a TCP reset', async () => {
  const { left, a, b, right } = await chain(adapterPair, tcpPair);
  const reset = next(right.resume(), 'error');
  const joined = join(a, b);
  left.destroy(new Error('cut'));
  await expect(joined).rejects.toMatchObject({ code: 'ECONNRESET', closeCode: 1006 });
  expect((await reset)[0]).toMatchObject({ code: 'ECONNRESET', syscall: 'read' });
});

test('streams that know no reset are destroyed with the error', async () => {
  const make = (): Duplex =>
    new Duplex({
      read: () => undefined,
      write: (_chunk, _encoding, done) => {
        done();
      },
    });
  const [a, b] = [make(), make()];
  const closed = Promise.all([next(a, 'close'), next(b, 'close')]);
  const joined = join(a, b);
  const first = new Error('first');
  a.destroy(first);
  await expect(joined).rejects.toBe(first);
  await closed;
  expect(b.errored).toBe(first);
  expect([a.listenerCount('error'), b.listenerCount('error')]).toEqual([0, 0]);
});

test('a stream that tells its error without being destroyed tells it once', async () => {
  const make = (): Duplex => new PassThrough({ autoDestroy: false });
  const [a, b] = [make(), make()];
  b.on('error', () => undefined);
  const joined = join(a, b);
  const first = new Error('first');
  a.emit('error', first);
  await expect(joined).rejects.toBe(first);
  expect([a.destroyed, b.destroyed]).toEqual([true, true]);
});

test.each(['close', 'destroySoon', 'destroy'] as const)(
  '%s() of one whose peer has ended, while the other goes on, ends the other and rejects',
  async (method) => {
    const { left, a, b, right } = await chain(adapterPair, tcpPair);
    const joined = join(a, b);
    left.end('all there is');
    expect((await readAll(right)).toString()).toBe('all there is');
    right.write('goes on');
    void (a as WsConnAdapter)[method]();
    await expect(joined).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(b.destroyed).toBe(true);
  },
);

test('what is no stream is refused', async () => {
  await expect(join(1 as unknown as Duplex, new PassThrough())).rejects.toMatchObject({
    code: 'ERR_INVALID_ARG_TYPE',
  });
});

async function readSome(stream: End): Promise<void> {
  if (stream.readableFlowing) await next(stream, 'data');
  else await readExactly(stream, 1);
}
