import { describe, expect, test } from 'vitest';

import { record, type Recording, turns } from '../../support/events.ts';
import { readExactly } from '../../support/reading.ts';
import { connected, type Subject } from '../subject.ts';

const MUCH = 20_000_000;

/** Every ending is at most one error and then exactly one 'close', which reports it. */
export function expectOneClose(recording: Recording): void {
  expect(recording.count('close')).toBe(1);
  expect(recording.names.at(-1)).toBe('close');
  expect(recording.errors.length).toBeLessThanOrEqual(1);
  expect(recording.hadError).toBe(recording.errors.length === 1);
}

/** Ends at once: destroy() and resetAndDestroy(), by and for whoever reads or writes. */
export function cutting(subject: Subject): void {
  const { features } = subject;

  describe('destroying', () => {
    test.each(['a', 'b'] as const)(
      "destroy() of %s with nothing unsent is an 'end' for the peer",
      async (who) => {
        const pair = await connected(subject);
        const [mine, peer] = who === 'a' ? [pair.a, pair.b] : [pair.b, pair.a];
        const [atMine, atPeer] = [record(mine), record(peer)];
        peer.resume();
        mine.destroy();
        expect([mine.destroyed, mine.readable, mine.writable]).toEqual([true, false, false]);
        await Promise.all([atMine.closed, atPeer.closed]);
        expect(atMine.names).toEqual(['close']);
        expect(atMine.hadError).toBe(false);
        expect(atPeer.names).toContain('end');
        expect(atPeer.hadError).toBe(false);
      },
    );

    test('destroy() right after a write that was sent loses none of it', async () => {
      const { a, b } = await connected(subject);
      const recording = record(b);
      await new Promise((resolve) => a.write('parting words', resolve));
      a.destroy();
      expect((await readExactly(b, 13)).toString()).toBe('parting words');
      b.resume();
      await recording.closed;
      expect(recording.names).toContain('end');
      expect(recording.hadError).toBe(false);
    });

    test('destroy(error) emits that error, once, and closes with hadError', async () => {
      const { a, b } = await connected(subject);
      const [atA, atB] = [record(a), record(b)];
      const error = new Error('enough');
      b.resume();
      a.destroy(error);
      a.destroy(new Error('more than enough'));
      a.destroy();
      await Promise.all([atA.closed, atB.closed]);
      await turns(5);
      expect(atA.names).toEqual(['error', 'close']);
      expect(atA.errors).toEqual([error]);
      expect([atA.hadError, a.errored]).toEqual([true, error]);
      if (features.cutIsReset) {
        expect(atB.errors).toMatchObject([{ code: 'ECONNRESET' }]);
        expect(atB.names).not.toContain('end');
      }
      expectOneClose(atB);
    });

    test('destroy() with bytes unsent does not look like an end where that can be told', async () => {
      const { a, b } = await connected(subject);
      const [atA, atB] = [record(a), record(b)];
      b.pause();
      a.write(Buffer.alloc(MUCH));
      await turns(5);
      a.destroy();
      b.resume();
      await Promise.all([atA.closed, atB.closed]);
      expect(atA.names).toEqual(['close']);
      expect(b.bytesRead).toBeLessThan(MUCH);
      if (features.cutIsReset) {
        expect(atB.errors).toMatchObject([{ code: 'ECONNRESET' }]);
        expect(atB.names).not.toContain('end');
      }
      expectOneClose(atB);
    });

    test.each(['a', 'b'] as const)(
      'resetAndDestroy() of %s is ECONNRESET for the peer',
      async (who) => {
        const pair = await connected(subject);
        const [mine, peer] = who === 'a' ? [pair.a, pair.b] : [pair.b, pair.a];
        const [atMine, atPeer] = [record(mine), record(peer)];
        peer.resume();
        expect(mine.resetAndDestroy()).toBe(mine);
        await Promise.all([atMine.closed, atPeer.closed]);
        expect(atMine.names).toEqual(['close']);
        expect(atMine.hadError).toBe(false);
        expect(atPeer.errors).toMatchObject([{ code: 'ECONNRESET' }]);
        expect(atPeer.names).not.toContain('end');
        expectOneClose(atPeer);
      },
    );

    test('a peer that is destroyed while bytes come to it is an error for the writer', async () => {
      const { a, b } = await connected(subject);
      const [atA, atB] = [record(a), record(b)];
      a.resume();
      a.write(Buffer.alloc(MUCH));
      await readExactly(b, 1_000);
      b.destroy();
      await Promise.all([atA.closed, atB.closed]);
      expect(['ECONNRESET', 'EPIPE']).toContain(atA.errors[0]?.code);
      expectOneClose(atA);
      expectOneClose(atB);
    });

    test('destroy() of both at once leaves no error', async () => {
      const { a, b } = await connected(subject);
      const [atA, atB] = [record(a), record(b)];
      a.destroy();
      b.destroy();
      await Promise.all([atA.closed, atB.closed]);
      expect([atA.names, atB.names]).toEqual([['close'], ['close']]);
    });

    test('no byte is given after destroy()', async () => {
      const { a, b } = await connected(subject);
      const recording = record(b);
      let after = 0;
      b.on('data', () => {
        if (b.destroyed) after++;
        b.destroy();
      });
      for (let i = 0; i < 50; i++) a.write(Buffer.alloc(10_000));
      a.on('error', () => undefined);
      await recording.closed;
      expect(after).toBe(0);
      expect(recording.names).toEqual(['close']);
    });

    test("destroy() in 'end', in 'finish' and in a write callback is no error", async () => {
      for (const moment of ['end', 'finish', 'write'] as const) {
        const { a, b } = await connected(subject, { allowHalfOpen: true });
        const [atA, atB] = [record(a), record(b)];
        a.resume();
        b.resume();
        if (moment === 'end') b.once('end', () => b.destroy());
        if (moment === 'finish') a.once('finish', () => a.destroy());
        a.write('x', () => {
          if (moment === 'write') a.destroy();
          else a.end();
        });
        await Promise.race([atA.closed, atB.closed]);
        a.end();
        b.end();
        await Promise.all([atA.closed, atB.closed]);
        expect([moment, atA.errors, atB.errors]).toEqual([moment, [], []]);
      }
    });

    test('what is called after the end does no harm', async () => {
      const { a, b } = await connected(subject);
      const recording = record(a);
      b.resume();
      a.destroy();
      await recording.closed;
      const error = await new Promise<unknown>((resolve) => a.write('x', resolve));
      expect(error).toMatchObject({ code: 'ERR_STREAM_DESTROYED' });
      a.setNoDelay().setKeepAlive(true).setTimeout(10).ref().unref().pause().resume();
      a.cork();
      a.uncork();
      a.destroySoon();
      a.resetAndDestroy();
      a.destroy(new Error('late'));
      expect(a.read()).toBeNull();
      expect(a.address()).toBeTypeOf('object');
      await turns(10);
      expect(recording.names).toEqual(['close']);
    });
  });
}
