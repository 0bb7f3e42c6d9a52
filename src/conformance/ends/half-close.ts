import assert from 'node:assert/strict';

import {
  assertAtMost,
  assertBytesRead,
  assertCode,
  assertExcludes,
  assertNoErrors,
} from '../frame/assertions.ts';
import { bytesOf, sha256 } from '../frame/bytes.ts';
import { group } from '../frame/group.ts';

const SIZE = 4_000_000;

/** Each direction ends by itself. */
export const halfClose = group('half close', ['halfClose'], (it) => {
  for (const who of ['a', 'b'] as const) {
    it(['the peer of an end that has ended may answer at length', who], async (t) => {
      const pair = await t.connected({ allowHalfOpen: true });
      const [asks, answers] = who === 'a' ? [pair.a, pair.b] : [pair.b, pair.a];
      const [atAsker, atAnswerer] = [t.record(asks), t.record(answers)];
      asks.end('question');
      assert.equal((await t.readAll(answers)).toString(), 'question');
      if (t.claims('face')) {
        assert.deepEqual([asks.readyState, answers.readyState], ['readOnly', 'writeOnly']);
      }
      await t.turns(20);
      let bytes = 0;
      asks.pause();
      asks.on('data', (chunk: Buffer) => (bytes += chunk.length));
      const answer = bytesOf(1, SIZE);
      for (let at = 0; at < SIZE; at += 100_000) {
        if (!answers.write(answer.subarray(at, at + 100_000))) {
          asks.resume();
          await t.next(answers, 'drain');
        }
      }
      assertExcludes(atAnswerer.names, 'finish');
      const end = t.readAll(asks);
      answers.end();
      await end;
      await Promise.all([atAsker.closed, atAnswerer.closed]);
      assertNoErrors(t, atAsker, atAnswerer);
      assert.equal(bytes, SIZE);
      assertBytesRead(t, asks, SIZE);
    });
  }

  it('the answer is whole', async (t) => {
    const { a, b } = await t.connected({ allowHalfOpen: true });
    const answer = bytesOf(2, SIZE);
    a.end();
    b.once('end', () => b.end(answer)).resume();
    assert.equal(sha256(await t.readAll(a)), sha256(answer));
  });

  it("with allowHalfOpen false, the peer's end ends the writable side by itself", async (t) => {
    const { a, b } = await t.connected({ allowHalfOpen: false });
    const [atA, atB] = [t.record(a), t.record(b)];
    const unfinished = bytesOf(3, SIZE);
    b.write(unfinished);
    a.end();
    b.resume();
    assert.equal(sha256(await t.readAll(a)), sha256(unfinished));
    await Promise.all([atA.closed, atB.closed]);
    assert.deepEqual(atB.names, ['end', 'finish', 'close']);
    assertNoErrors(t, atA, atB);
  });

  it('with allowHalfOpen true, nothing ends by itself', async (t) => {
    const { a, b } = await t.connected({ allowHalfOpen: true });
    const [atA, atB] = [t.record(a), t.record(b)];
    b.resume();
    a.resume();
    a.end();
    await t.next(b, 'end');
    await t.pause(50);
    assert.deepEqual(atA.names, ['finish']);
    assert.deepEqual(atB.names, ['end']);
    b.end();
    await Promise.all([atA.closed, atB.closed]);
    assert.deepEqual(atA.names, ['finish', 'end', 'close']);
  });

  it('ends cross while both have bytes on the way', async (t) => {
    const { a, b } = await t.connected({ allowHalfOpen: true });
    const [atA, atB] = [t.record(a), t.record(b)];
    const there = bytesOf(4, SIZE);
    const back = bytesOf(5, SIZE);
    a.end(there);
    b.end(back);
    const [receivedA, receivedB] = await Promise.all([t.readAll(a), t.readAll(b)]);
    assert.deepEqual([sha256(receivedA), sha256(receivedB)], [sha256(back), sha256(there)]);
    await Promise.all([atA.closed, atB.closed]);
    assertNoErrors(t, atA, atB);
  });

  it("destroy() of a half-closed connection is an 'end' for the peer", async (t) => {
    const { a, b } = await t.connected({ allowHalfOpen: true });
    const [atA, atB] = [t.record(a), t.record(b)];
    a.end();
    b.resume();
    a.resume();
    await t.next(b, 'end');
    b.destroy();
    await Promise.all([atA.closed, atB.closed]);
    assert.deepEqual(atA.names, ['finish', 'end', 'close']);
    assertNoErrors(t, atA, atB);
  });

  it('the one that has ended may destroy while the other is idle', async (t) => {
    const { a, b } = await t.connected({ allowHalfOpen: true });
    const [atA, atB] = [t.record(a), t.record(b)];
    b.resume();
    a.end();
    await t.next(b, 'end');
    a.destroy();
    await atA.closed;
    assertNoErrors(t, atA);
    b.end();
    await atB.closed;
    assertAtMost(atB.errors.length, 1);
  });

  it(
    'resetAndDestroy() of a half-closed connection is ECONNRESET for the peer',
    ['reset'],
    async (t) => {
      const { a, b } = await t.connected({ allowHalfOpen: true });
      const [atA, atB] = [t.record(a), t.record(b)];
      a.resume();
      a.end();
      b.resume();
      await t.next(b, 'end');
      b.resetAndDestroy();
      await Promise.all([atA.closed, atB.closed]);
      assert.deepEqual(atA.codes, ['ECONNRESET']);
      assert.deepEqual([atA.hadError, atB.hadError], [true, false]);
    },
  );

  it('a write to the direction that has ended fails, and the other one with it', async (t) => {
    const { a, b } = await t.connected({ allowHalfOpen: true });
    const recording = t.record(a);
    t.record(b); // It may see a reset.
    b.resume();
    a.end();
    await t.next(b, 'end');
    const error = await t.written(a, 'x');
    assertCode(error, 'ERR_STREAM_WRITE_AFTER_END');
    await recording.closed;
    assert.deepEqual(recording.errors, [error]);
  });
});
