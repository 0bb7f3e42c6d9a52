import assert from 'node:assert/strict';

import { assertOneClose } from '../frame/assertions.ts';
import type { Need } from '../frame/features.ts';
import { group } from '../frame/group.ts';
import type { End } from '../frame/subject.ts';
import type { Trial } from '../frame/trial.ts';

/** More than any connection takes in while nobody reads. */
const MUCH = 20_000_000;

/**
 * What one end does to itself, or the other end to it, while bytes are unsent, unread, both or
 * neither.
 */
const endings: readonly (readonly [
  name: string,
  needs: readonly Need[],
  act: (end: End, other: End) => void,
])[] = [
  [
    'both end in order',
    [],
    (end, other) => {
      for (const one of [end, other]) one.resume().end();
    },
  ],
  ['destroy() with nothing unsent', [], (end) => void end.destroy()],
  ['destroy(error) with nothing unsent', [], (end) => void end.destroy(new Error('enough'))],
  [
    'destroy() over unsent bytes',
    [],
    (end) => {
      end.write(Buffer.alloc(MUCH));
      end.write('more');
      setImmediate(() => end.destroy());
    },
  ],
  [
    'destroy() in the turn of a write',
    [],
    (end) => {
      end.write('bytes');
      end.destroy();
    },
  ],
  [
    'destroy(error) over unsent bytes',
    [],
    (end) => {
      end.write(Buffer.alloc(MUCH));
      setImmediate(() => end.destroy(new Error('enough')));
    },
  ],
  [
    'resetAndDestroy() over unsent bytes',
    ['reset'],
    (end) => {
      end.write(Buffer.alloc(MUCH));
      setImmediate(() => end.resetAndDestroy());
    },
  ],
  [
    'resetAndDestroy() in the turn of end()',
    ['reset'],
    (end) => {
      end.end('bytes');
      setImmediate(() => end.resetAndDestroy());
    },
  ],
  [
    'a reset by the other end',
    ['reset'],
    (end, other) => {
      end.resume();
      other.resetAndDestroy();
    },
  ],
  [
    'a reset by the other end over unsent bytes',
    ['reset'],
    (end, other) => {
      end.resume().write(Buffer.alloc(MUCH));
      setImmediate(() => other.resetAndDestroy());
    },
  ],
  [
    'destroySoon() over unread bytes',
    ['destroySoon'],
    (end, other) => {
      end.write('bytes');
      end.destroySoon();
      other.resume().end();
    },
  ],
];

/**
 * However it ends: what it says of its error, in all the places where it says so, is the same, and
 * stays so.
 */
export const agreement = group("'error', hadError, errored and close()", [], (it) => {
  for (const [name, needs, act] of endings) {
    for (const who of ['a', 'b'] as const) {
      const run = async (t: Trial, checkErrored: boolean): Promise<void> => {
        const pair = await t.connected();
        const [end, other] = who === 'a' ? [pair.a, pair.b] : [pair.b, pair.a];
        const recording = t.record(end);
        t.record(other);
        act(end, other);
        await recording.closed;
        const error = recording.errors[0] ?? null;
        assertOneClose(t, recording);
        const settled = checkErrored || error !== null ? error : end.errored;
        assert.equal(end.errored, settled);
        if (t.claims('close')) {
          assert.equal(await t.wait('close()', Promise.resolve(end.close?.())), error);
        }
        await t.turns(10);
        assert.equal(end.errored, settled, 'errored changed');
        assert.equal(recording.names.at(-1), 'close');
      };
      const variant = `${name}, at ${who}`;
      it(['agree on the error, and stay so', variant], needs, (t) => run(t, false));
      it(["errored is null where no 'error' came", variant], [...needs, 'errored'], (t) =>
        run(t, true),
      );
    }
  }
});
