import assert from 'node:assert/strict';

import { assertBytesRead, assertBytesWritten, assertOneClose } from '../frame/assertions.ts';
import { missingMethods, type Need } from '../frame/features.ts';
import { group } from '../frame/group.ts';
import { schedules } from '../frame/schedules.ts';
import type { End } from '../frame/subject.ts';
import type { Trial } from '../frame/trial.ts';

const CALLERS = 50;

type Method = readonly [
  name: string,
  needs: readonly Need[],
  call: (end: End, caller: number) => unknown,
];

/** Methods after which the connection is as it was. */
const harmless: readonly Method[] = [
  ['setTimeout(n)', ['idleTimeout'], (end, caller) => end.setTimeout(1_000_000 + caller)],
  ['setTimeout(0)', ['idleTimeout'], (end) => end.setTimeout(0)],
  ['setNoDelay()', ['face'], (end, caller) => end.setNoDelay(caller % 2 === 0)],
  ['setKeepAlive()', ['face'], (end, caller) => end.setKeepAlive(caller % 2 === 0, 1_000)],
  ['pause() and resume()', [], (end) => end.pause().resume()],
  ['ref() and unref()', ['face'], (end) => end.unref().ref()],
  [
    'cork() and uncork()',
    [],
    (end) => {
      end.cork();
      setImmediate(() => {
        end.uncork();
      });
    },
  ],
  ['address()', ['face'], (end) => end.address()],
  ['read()', [], (end) => end.read(0) as unknown],
  ['ping()', [], (end) => end.ping?.()],
  ['write()', [], (end, caller) => end.write(Buffer.alloc(caller))],
  ['write("")', [], (end) => end.write('')],
];

/** Methods that end it, in order or not. */
const final: readonly Method[] = [
  ['end()', [], (end) => end.end()],
  [
    'destroySoon()',
    ['destroySoon'],
    (end) => {
      end.destroySoon();
    },
  ],
  ['destroy()', [], (end) => end.destroy()],
  ['destroy(error)', [], (end, caller) => end.destroy(new Error(`caller ${String(caller)}`))],
  ['resetAndDestroy()', ['reset'], (end) => end.resetAndDestroy()],
  ['close()', ['close'], (end) => end.close?.()],
];

/** Those of them after which the peer has everything, and sees an 'end'. */
const ORDERLY = ['end()', 'destroySoon()', 'destroy()', 'close()'];

/** Runs fifty callers at the moments of one kind, and waits for the last. */
function callAtOnce(
  t: Trial,
  later: (call: () => void) => void,
  call: (caller: number) => void,
): Promise<void> {
  let left = CALLERS;
  return t.until('the last of fifty callers', (resolve) => {
    for (let caller = 0; caller < CALLERS; caller++) {
      later(() => {
        call(caller);
        if (--left === 0) resolve();
      });
    }
  });
}

/** Bytes still go both ways. */
async function assertAlive(t: Trial, a: End, b: End): Promise<void> {
  a.write('there');
  b.write('back');
  const [atB, atA] = await Promise.all([t.readExactly(b, 5), t.readExactly(a, 4)]);
  assert.deepEqual([atB.toString(), atA.toString()], ['there', 'back']);
}

/** Node's own warning is allowed, unless it is claimed that there is none. */
function allowManyListeners(t: Trial, ...ends: readonly End[]): void {
  if (!t.claims('fewListeners')) for (const end of ends) end.setMaxListeners(0);
}

/** Every method, called by fifty callers at once. */
export const concurrentMethods = group('fifty callers at once', [], (it) => {
  for (const [when, later] of Object.entries(schedules)) {
    for (const [name, needs, call] of harmless) {
      const variant = `${name} ${when}`;
      it(['may call what ends nothing, and the connection goes on', variant], needs, async (t) => {
        const { a, b } = await t.connected();
        const recording = t.record(a);
        await callAtOnce(t, later, (caller) => call(a, caller));
        await t.turns(1);
        a.pause();
        const sent = name === 'write()' ? (CALLERS * (CALLERS - 1)) / 2 : 0;
        assertBytesWritten(t, a, sent);
        if (sent > 0) await t.readExactly(b, sent);
        await assertAlive(t, a, b);
        assert.deepEqual(recording.names, []);
        if (needs.includes('idleTimeout')) a.setTimeout(0);
      });
    }

    for (const [name, needs, call] of final) {
      const variant = `${name} ${when}`;
      const promise = "may end it: one 'close' at each end, no more than one error";
      it([promise, variant], needs, async (t) => {
        const { a, b } = await t.connected();
        const [atA, atB] = [t.record(a), t.record(b)];
        let bytes = 0;
        a.resume();
        b.on('data', (chunk: Buffer) => (bytes += chunk.length));
        a.write('last words');
        await t.turns(2);
        allowManyListeners(t, a);
        await callAtOnce(t, later, (caller) => call(a, caller));
        await Promise.all([atA.closed, atB.closed]);
        await t.turns(5);
        assertOneClose(t, atA);
        assertOneClose(t, atB);
        const messages = atA.errors.map(({ message }) => message);
        assert.deepEqual(messages, name === 'destroy(error)' ? ['caller 0'] : []);
        if (ORDERLY.includes(name)) {
          assert.deepEqual(atB.errors, []);
          assert.equal(bytes, 10);
          assertBytesRead(t, b, 10);
        }
      });
    }

    it(['may call everything at both ends, in any order', when], async (t) => {
      const { a, b } = await t.connected();
      const [atA, atB] = [t.record(a), t.record(b)];
      const missing = missingMethods(a);
      const all = [...harmless, ...final].filter(
        ([, needs]) => !needs.some((need) => missing.has(need)),
      );
      allowManyListeners(t, a, b);
      await callAtOnce(t, later, (caller) => {
        for (let i = 0; i < all.length; i++) {
          all[(caller + 3 * i) % all.length]?.[2](a, caller);
          all[(caller + 5 * i) % all.length]?.[2](b, caller);
        }
      });
      a.resume();
      b.resume();
      await Promise.all([atA.closed, atB.closed]);
      await t.turns(5);
      assertOneClose(t, atA);
      assertOneClose(t, atB);
    });
  }

  it('bring no warning of too many listeners', ['fewListeners'], async (t) => {
    const warnings: string[] = [];
    const onWarning = ({ name, message }: Error): void => {
      if (name === 'MaxListenersExceededWarning') warnings.push(message);
    };
    process.on('warning', onWarning);
    try {
      for (const [, needs, call] of [...harmless, ...final]) {
        const { a, b } = await t.connected();
        if (needs.some((need) => missingMethods(a).has(need))) continue;
        const [atA, atB] = [t.record(a), t.record(b)];
        a.resume();
        b.resume();
        for (let caller = 0; caller < CALLERS; caller++) call(a, caller);
        a.destroy();
        b.destroy();
        await Promise.all([atA.closed, atB.closed]);
        // Node warns on a later tick.
        await t.turns(1);
      }
    } finally {
      process.off('warning', onWarning);
    }
    assert.deepEqual(warnings, []);
  });
});
