import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';

import { assertAtMost, assertBelow, assertBytesRead } from '../frame/assertions.ts';
import { bytesOf } from '../frame/bytes.ts';
import { group } from '../frame/group.ts';
import type { End } from '../frame/subject.ts';
import type { Trial } from '../frame/trial.ts';

const CHUNK = 65_536;
/** Turns of the event loop without a 'drain' after which a writer counts as stuck. */
const PATIENCE = 300;

/** Whether 'drain' comes while the event loop turns. */
async function drains(t: Trial, end: End): Promise<boolean> {
  const drain = t.next(end, 'drain').then(() => true);
  const patience = t.turns(PATIENCE).then(() => false);
  return Promise.race([drain, patience]);
}

/**
 * Writes as long as back pressure allows, but at most `most` bytes; returns how many it got rid of,
 * and their hash.
 */
async function pushUntilStuck(
  t: Trial,
  end: End,
  most: number,
): Promise<{ pushed: number; hash: string }> {
  const hash = createHash('sha256');
  let pushed = 0;
  while (pushed < most) {
    const chunk = bytesOf(pushed, CHUNK);
    hash.update(chunk);
    pushed += CHUNK;
    if (!end.write(chunk) && !(await drains(t, end))) break;
  }
  return { pushed, hash: hash.digest('hex') };
}

/** A slow reader holds the writer back, and loses nothing by it. */
export const backPressure = group('back pressure', [], (it) => {
  it("write() gives false at the high-water mark, and 'drain' comes when all is sent", async (t) => {
    const { a, b } = await t.connected();
    b.resume();
    assert.equal(a.writableNeedDrain, false);
    // Beyond what a kernel takes at once.
    assert.equal(a.write(Buffer.alloc(t.mostBuffered)), false);
    assert.equal(a.writableNeedDrain, true);
    await t.next(a, 'drain');
    assert.deepEqual([a.writableLength, a.writableNeedDrain], [0, false]);
    assert.equal(a.write('x'), true);
  });

  it('a reader that does not read holds the writer, and gets everything when it does', async (t) => {
    const { a, b } = await t.connected();
    b.pause();
    const { pushed, hash } = await pushUntilStuck(t, a, t.mostBuffered);
    assertBelow(pushed, t.mostBuffered);
    assertAtMost(a.writableLength, a.writableHighWaterMark + CHUNK);
    assertAtMost(b.readableLength, b.readableHighWaterMark + CHUNK);
    const received = t.readAll(b);
    a.end();
    const atB = createHash('sha256').update(await received);
    assertBytesRead(t, b, pushed);
    assert.equal(atB.digest('hex'), hash);
  });

  it('a direction that is held back does not hold back the other', async (t) => {
    const { a, b } = await t.connected();
    b.pause();
    await pushUntilStuck(t, a, t.mostBuffered);
    // More than there can be room for, also where the writer was only stuck for a while.
    a.write(Buffer.alloc(t.mostBuffered));
    let bytes = 0;
    const arrived = t.until(
      () => `40 pieces at a (${String(bytes)} bytes came)`,
      (resolve) => {
        a.on('data', (chunk: Buffer) => {
          bytes += chunk.length;
          if (bytes === 40 * CHUNK) resolve();
        });
      },
    );
    for (let i = 0; i < 40; i++) b.write(bytesOf(i, CHUNK));
    await arrived;
    if (t.claims('face')) assertBelow(b.bytesRead, a.bytesWritten);
  });

  it('pipe() between connections carries back pressure through', async (t) => {
    const first = await t.connected();
    const second = await t.connected();
    first.b.pipe(second.a);
    second.b.pause();
    const { pushed, hash } = await pushUntilStuck(t, first.a, 2 * t.mostBuffered);
    assertBelow(pushed, 2 * t.mostBuffered);
    first.a.end();
    const received = await t.readAll(second.b);
    assert.equal(received.length, pushed);
    assert.equal(createHash('sha256').update(received).digest('hex'), hash);
  });

  it('writes beyond the mark are kept, in order, for a writer that does not wait', async (t) => {
    const { a, b } = await t.connected();
    const hash = createHash('sha256');
    for (let i = 0; i < 300; i++) {
      const chunk = bytesOf(i, CHUNK);
      hash.update(chunk);
      a.write(chunk);
    }
    a.end();
    const received = await t.readAll(b);
    assert.equal(createHash('sha256').update(received).digest('hex'), hash.digest('hex'));
  });
});
