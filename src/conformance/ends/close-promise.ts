import assert from 'node:assert/strict';

import { assertCode, assertNoErrors } from '../frame/assertions.ts';
import { bytesOf, sha256 } from '../frame/bytes.ts';
import { group } from '../frame/group.ts';
import { schedules } from '../frame/schedules.ts';
import type { End } from '../frame/subject.ts';
import type { Trial } from '../frame/trial.ts';

function call(end: End): Promise<Error | null> {
  if (!end.close) throw new TypeError('this end has no close()');
  return end.close();
}

function close(t: Trial, end: End): Promise<Error | null> {
  return t.wait('close()', call(end));
}

/** close(): ends in order, for anyone, any number of times. */
export const closePromise = group('close()', ['close'], (it) => {
  it("sends what was written, and resolves with null after 'close'", async (t) => {
    const { a, b } = await t.connected();
    const [atA, atB] = [t.record(a), t.record(b)];
    const bytes = bytesOf(1, 3_000_000);
    a.write(bytes);
    const closing = close(t, a).then((error) => ({ error, seen: [...atA.names] }));
    assert.equal(sha256(await t.readAll(b)), sha256(bytes));
    const { error, seen } = await closing;
    assert.equal(error, null);
    assert.equal(seen.at(-1), 'close');
    await atB.closed;
    assertNoErrors(t, atA, atB);
  });

  for (const [when, later] of Object.entries(schedules)) {
    it(['gives fifty callers the same promise', when], async (t) => {
      const { a, b } = await t.connected();
      b.resume();
      const promises = await Promise.all(
        Array.from(
          { length: 50 },
          () =>
            new Promise<Promise<Error | null>[]>((resolve) => {
              later(() => {
                resolve([call(a)]);
              });
            }),
        ),
      );
      assert.equal(new Set(promises.flat()).size, 1);
      assert.equal(await close(t, a), null);
    });
  }

  it('of both ends at once resolves with null at both', async (t) => {
    const { a, b } = await t.connected();
    const [atA, atB] = [t.record(a), t.record(b)];
    assert.deepEqual(await Promise.all([close(t, a), close(t, b)]), [null, null]);
    assert.deepEqual([atA.count('close'), atB.count('close')], [1, 1]);
  });

  it('throws away what arrives meanwhile', async (t) => {
    const { a, b } = await t.connected();
    b.on('error', () => undefined);
    const recording = t.record(a);
    let late = 0;
    a.on('data', () => late++);
    b.resume();
    for (let i = 0; i < 50; i++) b.write(Buffer.alloc(20_000));
    const closing = close(t, a);
    await closing;
    assert.equal(late, 0);
    assert.equal(recording.count('close'), 1);
  });

  it('gives the error that had ended the connection before', async (t) => {
    const { a, b } = await t.connected();
    b.on('error', () => undefined).resume();
    const recording = t.record(a);
    const error = new Error('the first');
    a.destroy(error);
    a.destroy(new Error('the second'));
    assert.equal(await close(t, a), error);
    assert.equal(recording.names.at(-1), 'close');
    assert.equal(await close(t, a), error);
  });

  it('after a reset by the peer gives ECONNRESET', ['reset'], async (t) => {
    const { a, b } = await t.connected();
    const recording = t.record(a);
    a.resume();
    b.resetAndDestroy();
    await recording.closed;
    assertCode(await close(t, a), 'ECONNRESET');
  });

  it('needs nobody to listen for errors', async (t) => {
    const { a, b } = await t.connected();
    b.on('error', () => undefined).resume();
    const closing = close(t, a);
    a.destroy(new Error('in between'));
    assert.equal((await closing)?.message, 'in between');
    await t.turns(3);
  });

  it('after an orderly end gives null', async (t) => {
    const { a, b } = await t.connected();
    const recording = t.record(a);
    a.resume();
    b.resume();
    a.end('x');
    await recording.closed;
    assert.equal(await close(t, a), null);
  });

  it('while end() is under way joins it', async (t) => {
    const { a, b } = await t.connected();
    a.resume();
    a.write('x');
    a.end();
    const closing = close(t, a);
    assert.equal((await t.readAll(b)).toString(), 'x');
    assert.equal(await closing, null);
  });
});

/** `await using`. */
export const asyncDispose = group('await using', ['asyncDispose'], (it) => {
  it('closes, after what was written is sent', async (t) => {
    const { a, b } = await t.connected();
    const recording = t.record(a);
    const received = t.readAll(b);
    {
      await using socket = a;
      socket.write('x');
    }
    assert.equal(recording.names.at(-1), 'close');
    assertNoErrors(t, recording);
    assert.equal((await received).toString(), 'x');
  });
});
