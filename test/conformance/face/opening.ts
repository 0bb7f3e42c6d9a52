import { describe, expect, onTestFinished, test } from 'vitest';

import { next, record, type Recording, turns } from '../../support/events.ts';
import type { Dialler } from '../../support/pairs/pairs.ts';
import { schedules } from '../../support/schedules.ts';
import { expectOneClose } from '../ends/cutting.ts';
import type { End, MakeDialler, Subject } from '../subject.ts';

async function dialler(makeDialler: MakeDialler): Promise<Dialler<End>> {
  const made = await makeDialler();
  onTestFinished(() => made.stop());
  return made;
}

function closingNames({ names }: Recording): string[] {
  return names.filter((name) => name !== 'connect' && name !== 'ready');
}

/** An end that is still connecting: the server reads to its end what it gets, and ends then. */
export function opening(subject: Subject): void {
  const { makeDialler } = subject;
  if (!makeDialler) {
    test.skip('opening: the ends of this pair are connected when they are made', () => undefined);
    return;
  }

  describe('opening', () => {
    test("an end says that it is connecting, then 'connect' and 'ready'", async () => {
      const server = await dialler(makeDialler);
      const end = server.open();
      const recording = record(end);
      expect([end.connecting, end.pending, end.readyState]).toEqual([true, true, 'opening']);
      expect([end.destroyed, end.bytesRead, end.bytesWritten]).toEqual([false, 0, 0]);
      expect(end.address()).toEqual({});
      expect(end.remoteAddress).toBeUndefined();
      await next(end, 'ready');
      expect(recording.names).toEqual(['connect', 'ready']);
      expect([end.connecting, end.pending, end.readyState]).toEqual([false, false, 'open']);
    });

    test("what is written before 'connect' is sent after it, in order", async () => {
      const server = await dialler(makeDialler);
      const end = server.open();
      const order: string[] = [];
      end.once('connect', () => order.push('connect'));
      const closed = next(end, 'close');
      end.write('one', () => order.push('one'));
      end.write('two', () => order.push('two'));
      end.write(Buffer.alloc(200_000), () => order.push('much'));
      expect(end.bytesWritten).toBe(200_006);
      await new Promise<void>((resolve) => end.end('three', resolve));
      expect(order.filter((name) => name !== 'connect')).toEqual(['one', 'two', 'much']);
      expect(order).toContain('connect');
      if (!subject.features.sendsEarly) expect(order[0]).toBe('connect');
      expect(end.bytesWritten).toBe(200_011);
      end.resume();
      await closed;
    });

    test("end() before 'connect' waits for it", async () => {
      const server = await dialler(makeDialler);
      const end = server.open();
      const recording = record(end);
      end.resume();
      end.end();
      await recording.closed;
      expect(recording.names).toEqual(
        expect.arrayContaining(['connect', 'ready', 'finish', 'end', 'close']),
      );
      expectOneClose(recording);
      expect(recording.errors).toEqual([]);
    });

    test('settings made while connecting are kept', async () => {
      const server = await dialler(makeDialler);
      const end = server.open();
      end.setNoDelay(true).setKeepAlive(true, 5_000).setTimeout(40).unref().ref();
      end.setEncoding('utf8');
      await Promise.all([next(end, 'connect'), next(end, 'timeout')]);
      expect(end.timeout).toBe(40);
    });

    test.each(Object.entries(schedules))(
      'destroy() %s as creation closes without an error',
      async (_when, later) => {
        const server = await dialler(makeDialler);
        const end = server.open();
        const recording = record(end);
        const results: unknown[] = [];
        end.write('never sent', (error) => results.push(error));
        end.write('nor this', (error) => results.push(error));
        await new Promise<void>((resolve) => {
          later(() => {
            end.destroy();
            resolve();
          });
        });
        expect([end.destroyed, end.connecting, end.readyState]).toEqual([true, false, 'closed']);
        await recording.closed;
        await turns(5);
        // A loopback connection may be there before an immediate.
        expect(closingNames(recording)).toEqual(['close']);
        expect(recording.hadError).toBe(false);
        expect(results).toHaveLength(2);
      },
    );

    test.each(Object.entries(schedules))(
      'destroy() %s as creation, with nothing written, closes too',
      async (_when, later) => {
        const server = await dialler(makeDialler);
        const end = server.open();
        const recording = record(end);
        later(() => end.destroy());
        await recording.closed;
        expect(closingNames(recording)).toEqual(['close']);
        expect(recording.hadError).toBe(false);
      },
    );

    test('destroy(error) while connecting gives that error', async () => {
      const server = await dialler(makeDialler);
      const end = server.open();
      const recording = record(end);
      const error = new Error('changed my mind');
      end.destroy(error);
      await recording.closed;
      expect(recording.names).toEqual(['error', 'close']);
      expect(recording.errors).toEqual([error]);
      expectOneClose(recording);
    });

    test.each(['destroySoon', 'resetAndDestroy', 'close'] as const)(
      '%s() while connecting closes once',
      async (name) => {
        const server = await dialler(makeDialler);
        const end = server.open();
        const recording = record(end);
        end.resume();
        if (name === 'close') await (end.close?.() ?? end.destroy());
        else end[name]();
        await recording.closed;
        await turns(5);
        expectOneClose(recording);
        expect(recording.errors).toEqual([]);
      },
    );

    test("destroy() in 'connect' closes without an error", async () => {
      const server = await dialler(makeDialler);
      const end = server.open();
      const recording = record(end);
      end.write('sent or not');
      end.once('connect', () => end.destroy());
      await recording.closed;
      expect(recording.errors).toEqual([]);
      expectOneClose(recording);
    });

    test('fifty ends may be opened and destroyed at once', async () => {
      const server = await dialler(makeDialler);
      const recordings = Array.from({ length: 50 }, (_, i) => {
        const end = server.open();
        const recording = record(end);
        Object.values(schedules)[i % 4]?.(() => end.destroy());
        return recording;
      });
      await Promise.all(recordings.map(({ closed }) => closed));
      for (const recording of recordings) expect(closingNames(recording)).toEqual(['close']);
    });
  });
}
