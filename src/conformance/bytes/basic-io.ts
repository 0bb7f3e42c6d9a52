import assert from 'node:assert/strict';

import { assertBytesRead, assertBytesWritten } from '../frame/assertions.ts';
import { bytesOf, cutAtRandom, sha256 } from '../frame/bytes.ts';
import { group } from '../frame/group.ts';
import type { End } from '../frame/subject.ts';
import type { Trial } from '../frame/trial.ts';

const SIZE = 8 * 1024 * 1024;

/** Writes the pieces as fast as back pressure lets it. */
async function write(t: Trial, end: End, pieces: Iterable<Buffer>): Promise<void> {
  for (const piece of pieces) {
    if (!end.write(piece)) await t.next(end, 'drain');
  }
}

/** Writes the pieces as fast as back pressure lets it, and ends. */
async function writeAll(t: Trial, end: End, pieces: Iterable<Buffer>): Promise<void> {
  await write(t, end, pieces);
  end.end();
}

/** Bytes come out as they went in, whatever their pieces. */
export const basicIo = group('basic I/O', [], (it) => {
  it('bytes cut at random arrive whole and in order', async (t) => {
    const { a, b } = await t.connected();
    const bytes = bytesOf(1, SIZE);
    const [received] = await Promise.all([
      t.readAll(b),
      writeAll(t, a, cutAtRandom(bytes, 2, 40_000)),
    ]);
    assert.equal(received.length, SIZE);
    assert.equal(sha256(received), sha256(bytes));
  });

  it('bytes cut at random arrive whole both ways at once', ['halfClose'], async (t) => {
    const { a, b } = await t.connected({ allowHalfOpen: true });
    const there = bytesOf(3, SIZE);
    const back = bytesOf(4, SIZE);
    const wholeAtB = t.readAll(b);
    // The one direction ends first, whichever is faster.
    const answer = async (): Promise<void> => {
      await write(t, b, cutAtRandom(back.subarray(0, SIZE / 2), 6, 3_000));
      await wholeAtB;
      await writeAll(t, b, cutAtRandom(back.subarray(SIZE / 2), 7, 3_000));
    };
    const [atB, atA] = await Promise.all([
      wholeAtB,
      t.readAll(a),
      writeAll(t, a, cutAtRandom(there, 5, 30_000)),
      answer(),
    ]);
    assert.equal(sha256(atB), sha256(there));
    assert.equal(sha256(atA), sha256(back));
  });

  it('an echo gives every byte back while more are written', async (t) => {
    const { a, b } = await t.connected();
    const bytes = bytesOf(7, SIZE);
    b.pipe(b);
    const echoed = t.readExactly(a, SIZE);
    for (const piece of cutAtRandom(bytes, 8, 60_000)) {
      if (!a.write(piece)) await t.next(a, 'drain');
    }
    assert.equal(sha256(await echoed), sha256(bytes));
  });

  it('one write much larger than every buffer arrives whole', async (t) => {
    const { a, b } = await t.connected();
    const bytes = bytesOf(9, 2 * SIZE);
    a.end(bytes);
    assert.equal(sha256(await t.readAll(b)), sha256(bytes));
  });

  it('single bytes arrive in order', async (t) => {
    const { a, b } = await t.connected();
    const bytes = bytesOf(10, 5_000);
    for (const byte of bytes) a.write(Buffer.of(byte));
    a.end();
    assert.equal(sha256(await t.readAll(b)), sha256(bytes));
  });

  it('bytesWritten and bytesRead count the payload', ['face'], async (t) => {
    const { a, b } = await t.connected();
    const recording = t.record(b);
    a.write(bytesOf(11, 100_000));
    a.write('a few more');
    assertBytesWritten(t, a, 100_010);
    await t.readExactly(b, 100_010);
    assertBytesRead(t, b, 100_010);
    b.write('back');
    await t.readExactly(a, 4);
    assert.deepEqual([a.bytesRead, b.bytesWritten], [4, 4]);
    a.end();
    b.resume();
    await recording.closed;
    assert.deepEqual(
      [a.bytesRead, a.bytesWritten, b.bytesRead, b.bytesWritten],
      [4, 100_010, 100_010, 4],
    );
  });

  it('the memory of a write may be reused when its callback has come', async (t) => {
    const { a, b } = await t.connected();
    const shared = Buffer.alloc(10_000);
    const received = t.readExactly(b, 50 * shared.length);
    for (let i = 0; i < 50; i++) {
      shared.fill(i);
      await t.written(a, shared);
    }
    const bytes = await received;
    const expected = Buffer.concat(
      Array.from({ length: 50 }, (_, i) => Buffer.alloc(shared.length, i)),
    );
    assert.equal(sha256(bytes), sha256(expected));
  });
});
