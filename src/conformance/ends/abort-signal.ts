import assert from 'node:assert/strict';

import { assertOneClose } from '../frame/assertions.ts';
import { group } from '../frame/group.ts';

/** The option `signal`. */
export const abortSignal = group('AbortSignal', ['signal'], (it) => {
  it('destroys a connected end with an AbortError', async (t) => {
    const controller = new AbortController();
    const { a, b } = await t.connected({ signal: controller.signal });
    const [atA, atB] = [t.record(a), t.record(b)];
    b.resume();
    controller.abort(new Error('not any more'));
    assert.equal(a.destroyed, true);
    await Promise.all([atA.closed, atB.closed]);
    assert.deepEqual(
      atA.errors.map(({ name, code }) => [name, code]),
      [['AbortError', 'ABORT_ERR']],
    );
    assertOneClose(t, atA);
    assertOneClose(t, atB);
  });

  it('has no say after the end', async (t) => {
    const controller = new AbortController();
    const { a, b } = await t.connected({ signal: controller.signal });
    const recording = t.record(a);
    a.resume();
    b.resume();
    a.end();
    await t.next(a, 'close');
    controller.abort();
    await t.turns(5);
    assert.deepEqual(recording.errors, []);
    assertOneClose(t, recording);
  });

  it(
    'that has fired already, or fires while connecting, gives up the connection',
    ['dialler'],
    async (t) => {
      const open = await t.dialler();
      const controller = new AbortController();
      const late = t.record(open({ signal: controller.signal }));
      controller.abort();
      const early = t.record(open({ signal: controller.signal }));
      await Promise.all([late.closed, early.closed]);
      for (const recording of [late, early]) {
        assert.deepEqual(recording.names, ['error', 'close']);
        assert.deepEqual(
          recording.errors.map(({ name }) => name),
          ['AbortError'],
        );
      }
    },
  );
});
