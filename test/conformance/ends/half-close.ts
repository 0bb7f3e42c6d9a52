import { describe, expect, test } from 'vitest';

import { bytesOf, sha256 } from '../../support/bytes.ts';
import { next, record, turns } from '../../support/events.ts';
import { readAll } from '../../support/reading.ts';
import { connected, type Subject } from '../subject.ts';

const SIZE = 4_000_000;

/** Each direction ends by itself. */
export function halfClose(subject: Subject): void {
  const { features } = subject;

  describe.skipIf(!features.halfClose)('half close', () => {
    test.each(['the client', 'the server'])(
      'the peer of %s that has ended may answer at length',
      async (who) => {
        const pair = await connected(subject, { allowHalfOpen: true });
        const [asks, answers] = who === 'the client' ? [pair.a, pair.b] : [pair.b, pair.a];
        const [atAsker, atAnswerer] = [record(asks), record(answers)];
        asks.end('question');
        expect((await readAll(answers)).toString()).toBe('question');
        expect(asks.readyState).toBe('readOnly');
        expect(answers.readyState).toBe('writeOnly');
        await turns(20);
        const answer = bytesOf(1, SIZE);
        for (let at = 0; at < SIZE; at += 100_000) {
          if (!answers.write(answer.subarray(at, at + 100_000))) {
            asks.resume();
            await next(answers, 'drain');
          }
        }
        expect(atAnswerer.names).not.toContain('finish');
        answers.end();
        await readAll(asks);
        await Promise.all([atAsker.closed, atAnswerer.closed]);
        expect([atAsker.hadError, atAnswerer.hadError]).toEqual([false, false]);
        expect(asks.bytesRead).toBe(SIZE);
      },
    );

    test('the answer is whole', async () => {
      const { a, b } = await connected(subject, { allowHalfOpen: true });
      const answer = bytesOf(2, SIZE);
      a.end();
      b.once('end', () => b.end(answer)).resume();
      expect(sha256(await readAll(a))).toBe(sha256(answer));
    });

    test("with allowHalfOpen false, the peer's end ends the writable side by itself", async () => {
      const { a, b } = await connected(subject, { allowHalfOpen: false });
      const [atA, atB] = [record(a), record(b)];
      const unfinished = bytesOf(3, SIZE);
      b.write(unfinished);
      a.end();
      b.resume();
      expect(sha256(await readAll(a))).toBe(sha256(unfinished));
      await Promise.all([atA.closed, atB.closed]);
      expect(atB.names).toEqual(['end', 'finish', 'close']);
      expect([atA.hadError, atB.hadError]).toEqual([false, false]);
    });

    test('with allowHalfOpen true, nothing ends by itself', async () => {
      const { a, b } = await connected(subject, { allowHalfOpen: true });
      const [atA, atB] = [record(a), record(b)];
      b.resume();
      a.resume();
      a.end();
      await next(b, 'end');
      b.setTimeout(50);
      await next(b, 'timeout');
      expect(atA.names).toEqual(['finish']);
      expect(atB.names).toEqual(['end', 'timeout']);
      b.end();
      await Promise.all([atA.closed, atB.closed]);
      expect(atA.names).toEqual(['finish', 'end', 'close']);
    });

    test('ends cross while both have bytes on the way', async () => {
      const { a, b } = await connected(subject, { allowHalfOpen: true });
      const [atA, atB] = [record(a), record(b)];
      const there = bytesOf(4, SIZE);
      const back = bytesOf(5, SIZE);
      a.end(there);
      b.end(back);
      const [receivedA, receivedB] = await Promise.all([readAll(a), readAll(b)]);
      expect([sha256(receivedA), sha256(receivedB)]).toEqual([sha256(back), sha256(there)]);
      await Promise.all([atA.closed, atB.closed]);
      expect([atA.hadError, atB.hadError]).toEqual([false, false]);
    });

    test("destroy() of a half-closed connection is an 'end' for the peer", async () => {
      const { a, b } = await connected(subject, { allowHalfOpen: true });
      const [atA, atB] = [record(a), record(b)];
      a.end();
      b.resume();
      a.resume();
      await next(b, 'end');
      b.destroy();
      await Promise.all([atA.closed, atB.closed]);
      expect(atA.names).toEqual(['finish', 'end', 'close']);
      expect([atA.hadError, atB.hadError]).toEqual([false, false]);
    });

    test('the one that has ended may destroy while the other is idle', async () => {
      const { a, b } = await connected(subject, { allowHalfOpen: true });
      const [atA, atB] = [record(a), record(b)];
      b.resume();
      a.end();
      await next(b, 'end');
      a.destroy();
      await atA.closed;
      expect(atA.hadError).toBe(false);
      b.end();
      await atB.closed;
      expect(atB.errors.length).toBeLessThanOrEqual(1);
    });

    test('resetAndDestroy() of a half-closed connection is ECONNRESET for the peer', async () => {
      const { a, b } = await connected(subject, { allowHalfOpen: true });
      const [atA, atB] = [record(a), record(b)];
      a.resume();
      a.end();
      b.resume();
      await next(b, 'end');
      b.resetAndDestroy();
      await Promise.all([atA.closed, atB.closed]);
      expect(atA.errors).toMatchObject([{ code: 'ECONNRESET' }]);
      expect([atA.hadError, atB.hadError]).toEqual([true, false]);
    });

    test('a write to the direction that has ended fails, and the other one with it', async () => {
      const { a, b } = await connected(subject, { allowHalfOpen: true });
      const recording = record(a);
      record(b); // It may see a reset.
      b.resume();
      a.end();
      await next(b, 'end');
      const error = await new Promise<unknown>((resolve) => a.write('x', resolve));
      expect(error).toMatchObject({ code: 'ERR_STREAM_WRITE_AFTER_END' });
      await recording.closed;
      expect(recording.errors).toEqual([error]);
    });
  });

  test.skipIf(features.halfClose)(
    'half close is not there: see "without half close" under ending',
    () => {
      expect(features.halfClose).toBe(false);
    },
  );
}
