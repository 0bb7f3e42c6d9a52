import assert from 'node:assert/strict';

import {
  assertBytesRead,
  assertCode,
  assertExcludes,
  assertHadError,
  assertNoErrors,
} from '../frame/assertions.ts';
import { bytesOf, sha256 } from '../frame/bytes.ts';
import { group } from '../frame/group.ts';

const SIZE = 3_000_000;

/** Ends in order: nothing is lost, and 'close' is the last event of both. */
export const ending = group('ending', [], (it) => {
  it("end() gives the peer everything and then 'end', and both close without an error", async (t) => {
    const { a, b } = await t.connected();
    const [atA, atB] = [t.record(a), t.record(b)];
    const bytes = bytesOf(1, SIZE);
    a.resume();
    a.write(bytes);
    a.end();
    assert.equal(sha256(await t.readAll(b)), sha256(bytes));
    await Promise.all([atA.closed, atB.closed]);
    for (const { names } of [atA, atB]) {
      assert.deepEqual([...names].sort(), ['close', 'end', 'finish']);
      assert.equal(names.at(-1), 'close');
    }
    assertNoErrors(t, atA, atB);
  });

  it('end() with nothing written ends both', async (t) => {
    const { a, b } = await t.connected();
    const [atA, atB] = [t.record(a), t.record(b)];
    b.resume();
    a.resume();
    a.end();
    await Promise.all([atA.closed, atB.closed]);
    assertNoErrors(t, atA, atB);
    assert.deepEqual([a.closed, b.closed], [true, true]);
    if (t.claims('face')) assert.deepEqual([a.readyState, b.readyState], ['closed', 'closed']);
  });

  it('a user who only writes sees the end of the peer too, and is closed', async (t) => {
    const { a, b } = await t.connected();
    const atA = t.record(a);
    b.resume();
    a.write('for the log');
    b.end();
    await atA.closed;
    assert.deepEqual([...atA.names].sort(), ['close', 'end', 'finish']);
    assertNoErrors(t, atA);
  });

  it('end() of both at once ends both in order, with what both had written', async (t) => {
    const { a, b } = await t.connected();
    const [atA, atB] = [t.record(a), t.record(b)];
    const fromA = bytesOf(2, 1_000);
    const fromB = bytesOf(3, 1_000);
    a.end(fromA);
    b.end(fromB);
    const [receivedA, receivedB] = await Promise.all([t.readAll(a), t.readAll(b)]);
    assert.deepEqual([sha256(receivedA), sha256(receivedB)], [sha256(fromB), sha256(fromA)]);
    await Promise.all([atA.closed, atB.closed]);
    assertNoErrors(t, atA, atB);
  });

  it('end() leaves what the peer had sent before to be read', async (t) => {
    const { a, b } = await t.connected();
    const bytes = bytesOf(4, 200_000);
    await t.written(b, bytes);
    a.end();
    b.resume();
    assert.equal(sha256(await t.readAll(a)), sha256(bytes));
  });

  it('a reader that comes late gets everything, long after end()', async (t) => {
    const { a, b } = await t.connected({ allowHalfOpen: true });
    const recording = t.record(a);
    const bytes = bytesOf(5, 12_000_000);
    b.pause();
    a.resume();
    a.end(bytes);
    await t.pause(150);
    assertExcludes(recording.names, 'close');
    assert.equal(sha256(await t.readAll(b)), sha256(bytes));
    b.end();
    await recording.closed;
    assertNoErrors(t, recording);
  });

  it('the callback of end() comes once, with the one of the last write before it', async (t) => {
    const { a, b } = await t.connected();
    const order: string[] = [];
    b.resume();
    a.write('x', () => order.push('write'));
    await t.until('the callback of end()', (resolve) => {
      a.end('y', () => {
        order.push('end');
        resolve();
      });
    });
    assert.deepEqual(order, ['write', 'end']);
  });

  it('end() may be called again', async (t) => {
    const { a, b } = await t.connected();
    const recording = t.record(a);
    a.resume();
    b.resume();
    a.end();
    a.end();
    await t.ended(a);
    await recording.closed;
    assertNoErrors(t, recording);
  });

  it('a write after end() is ERR_STREAM_WRITE_AFTER_END, to its callback and to the stream', async (t) => {
    const { a, b } = await t.connected();
    const recording = t.record(a);
    t.record(b); // It may see a reset.
    a.end();
    const error = await t.written(a, 'late');
    assertCode(error, 'ERR_STREAM_WRITE_AFTER_END');
    await recording.closed;
    assert.deepEqual(recording.errors, [error]);
    assertHadError(t, recording, true);
  });

  it('destroySoon() sends what was written, ends, and closes', ['destroySoon'], async (t) => {
    const { a, b } = await t.connected();
    const [atA, atB] = [t.record(a), t.record(b)];
    const bytes = bytesOf(6, SIZE);
    a.write(bytes);
    a.destroySoon();
    assert.equal(sha256(await t.readAll(b)), sha256(bytes));
    await Promise.all([atA.closed, atB.closed]);
    assertNoErrors(t, atA, atB);
    assert.equal(a.destroyed, true);
  });

  it('destroySoon() after end() has finished destroys at once', ['destroySoon'], async (t) => {
    const { a, b } = await t.connected({ allowHalfOpen: true });
    const recording = t.record(a);
    b.resume();
    await t.ended(a);
    a.destroySoon();
    assert.equal(a.destroyed, true);
    b.end();
    await recording.closed;
    assertNoErrors(t, recording);
  });

  it(
    "without half close, end() ends both directions: the peer's answer after it is lost with EPIPE",
    ['endsBoth'],
    async (t) => {
      let answers = 0;
      const { a, b } = await t.connected({ allowHalfOpen: true });
      const recording = t.record(b);
      a.on('data', () => answers++);
      a.end('last');
      assert.equal((await t.readAll(b)).toString(), 'last');
      const error = await t.written(b, 'answer');
      assertCode(error, 'EPIPE');
      await recording.closed;
      assert.deepEqual(recording.errors, [error]);
      assertHadError(t, recording, true);
      assert.equal(answers, 0);
      assertBytesRead(t, a, 0);
    },
  );
});
