import { describe, expect, test } from 'vitest';

import { record, turns } from '../../support/events.ts';
import { readExactly } from '../../support/reading.ts';
import { schedules } from '../../support/schedules.ts';
import { connected, type End, type Subject } from '../subject.ts';
import { expectOneClose } from './cutting.ts';

const CALLERS = 50;

/** Methods after which the connection is as it was. */
const harmless: Record<string, (end: End, caller: number) => unknown> = {
  'setTimeout(n)': (end, caller) => end.setTimeout(1_000_000 + caller),
  'setTimeout(0)': (end) => end.setTimeout(0),
  'setNoDelay()': (end, caller) => end.setNoDelay(caller % 2 === 0),
  'setKeepAlive()': (end, caller) => end.setKeepAlive(caller % 2 === 0, 1_000),
  'pause() and resume()': (end) => end.pause().resume(),
  'ref() and unref()': (end) => end.unref().ref(),
  'cork() and uncork()': (end) => {
    end.cork();
    setImmediate(() => {
      end.uncork();
    });
  },
  'address()': (end) => end.address(),
  'read()': (end) => end.read(0) as unknown,
  'ping()': (end) => end.ping?.(),
  'write()': (end, caller) => end.write(Buffer.alloc(caller)),
  'write("")': (end) => end.write(''),
};

/** Methods that end it, in order or not. */
const final: Record<string, (end: End, caller: number) => unknown> = {
  'end()': (end) => end.end(),
  'destroySoon()': (end) => {
    end.destroySoon();
  },
  'destroy()': (end) => end.destroy(),
  'destroy(error)': (end, caller) => end.destroy(new Error(`caller ${String(caller)}`)),
  'resetAndDestroy()': (end) => end.resetAndDestroy(),
  'close()': (end) => end.close?.(),
};

/** Runs fifty callers at the moments of one kind, and waits for the last. */
async function callAtOnce(
  later: (call: () => void) => void,
  call: (caller: number) => void,
): Promise<void> {
  let left = CALLERS;
  await new Promise<void>((resolve) => {
    for (let caller = 0; caller < CALLERS; caller++) {
      later(() => {
        call(caller);
        if (--left === 0) resolve();
      });
    }
  });
}

/** Whether bytes still go both ways. */
async function expectAlive(a: End, b: End): Promise<void> {
  a.write('there');
  b.write('back');
  const [atB, atA] = await Promise.all([readExactly(b, 5), readExactly(a, 4)]);
  expect([atB.toString(), atA.toString()]).toEqual(['there', 'back']);
}

/** Every method, called by fifty callers at once. */
export function concurrentMethods(subject: Subject): void {
  const { features } = subject;
  const closers = Object.keys(final).filter((name) => features.close || name !== 'close()');

  describe.each(Object.entries(schedules))('fifty callers %s', (_when, later) => {
    test.each(Object.keys(harmless))('may call %s, and the connection goes on', async (name) => {
      const { a, b } = await connected(subject);
      const recording = record(a);
      const call = harmless[name];
      const { bytesWritten } = a;
      await callAtOnce(later, (caller) => call?.(a, caller));
      await turns(1);
      a.pause();
      const sent = a.bytesWritten - bytesWritten;
      if (sent > 0) await readExactly(b, sent);
      await expectAlive(a, b);
      expect(recording.names).toEqual([]);
      a.setTimeout(0);
    });

    test.each(closers)(
      "may call %s: one 'close' at each end, no more than one error",
      async (name) => {
        const { a, b } = await connected(subject);
        const [atA, atB] = [record(a), record(b)];
        a.resume();
        b.resume();
        a.write('last words');
        await turns(2);
        if (features.warnsOfManyCallers) a.setMaxListeners(0);
        await callAtOnce(later, (caller) => final[name]?.(a, caller));
        await Promise.all([atA.closed, atB.closed]);
        await turns(5);
        expectOneClose(atA);
        expectOneClose(atB);
        expect(atA.errors).toMatchObject(
          name === 'destroy(error)' ? [{ message: 'caller 0' }] : [],
        );
        if (['end()', 'destroySoon()', 'destroy()', 'close()'].includes(name)) {
          expect(atB.errors).toEqual([]);
          expect(b.bytesRead).toBe(10);
        }
      },
    );

    test('may call everything at both ends, in any order', async () => {
      const { a, b } = await connected(subject);
      const [atA, atB] = [record(a), record(b)];
      const all = [...Object.values(harmless), ...Object.values(final)];
      if (features.warnsOfManyCallers) {
        a.setMaxListeners(0);
        b.setMaxListeners(0);
      }
      await callAtOnce(later, (caller) => {
        for (let i = 0; i < all.length; i++) {
          all[(caller + 3 * i) % all.length]?.(a, caller);
          all[(caller + 5 * i) % all.length]?.(b, caller);
        }
      });
      a.resume();
      b.resume();
      await Promise.all([atA.closed, atB.closed]);
      await turns(5);
      expectOneClose(atA);
      expectOneClose(atB);
    });
  });
}
