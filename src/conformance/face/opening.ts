import assert from 'node:assert/strict';

import {
  assertBytesWritten,
  assertIncludes,
  assertNoErrors,
  assertOneClose,
} from '../frame/assertions.ts';
import { group } from '../frame/group.ts';
import type { Recording } from '../frame/recording.ts';
import { schedules } from '../frame/schedules.ts';

/** Ways to end in order, and what they need. */
const enders = [
  ['destroySoon', ['destroySoon']],
  ['resetAndDestroy', ['reset']],
  ['close', ['close']],
] as const;

function closingNames({ names }: Recording): string[] {
  return names.filter((name) => name !== 'connect' && name !== 'ready');
}

/** An end that is still connecting: the server reads to its end what it gets, and ends then. */
export const opening = group('opening', ['dialler'], (it) => {
  it("an end says that it is connecting, then 'connect' and 'ready'", ['face'], async (t) => {
    const open = await t.dialler();
    const end = open();
    const recording = t.record(end);
    assert.deepEqual([end.connecting, end.pending, end.readyState], [true, true, 'opening']);
    assert.deepEqual([end.destroyed, end.bytesRead, end.bytesWritten], [false, 0, 0]);
    assert.deepEqual(end.address(), {});
    assert.equal(end.remoteAddress, undefined);
    await t.next(end, 'ready');
    assert.deepEqual(recording.names, ['connect', 'ready']);
    assert.deepEqual([end.connecting, end.pending, end.readyState], [false, false, 'open']);
  });

  it("what is written before 'connect' is sent after it, in order", async (t) => {
    const open = await t.dialler();
    const end = open();
    const order: string[] = [];
    end.once('connect', () => order.push('connect'));
    const closed = t.next(end, 'close');
    end.write('one', () => order.push('one'));
    end.write('two', () => order.push('two'));
    end.write(Buffer.alloc(200_000), () => order.push('much'));
    assertBytesWritten(t, end, 200_006);
    await t.ended(end, 'three');
    assert.deepEqual(
      order.filter((name) => name !== 'connect'),
      ['one', 'two', 'much'],
    );
    assertIncludes(order, 'connect');
    assertBytesWritten(t, end, 200_011);
    end.resume();
    await closed;
  });

  it(
    "the callbacks of what is written before 'connect' come after it",
    ['connectFirst'],
    async (t) => {
      const open = await t.dialler();
      const end = open();
      const order: string[] = [];
      end.once('connect', () => order.push('connect'));
      end.write('one', () => order.push('one'));
      end.write('two', () => order.push('two'));
      await t.ended(end, 'three');
      assert.deepEqual(order, ['connect', 'one', 'two']);
      end.resume();
      await t.next(end, 'close');
    },
  );

  it("end() before 'connect' waits for it", async (t) => {
    const open = await t.dialler();
    const end = open();
    const recording = t.record(end);
    end.resume();
    end.end();
    await recording.closed;
    for (const name of ['connect', 'ready', 'finish', 'end', 'close']) {
      assertIncludes(recording.names, name);
    }
    assertOneClose(t, recording);
    assert.deepEqual(recording.errors, []);
  });

  it('settings made while connecting are kept', ['face', 'idleTimeout'], async (t) => {
    const open = await t.dialler();
    const end = open();
    end.setNoDelay(true).setKeepAlive(true, 5_000).setTimeout(40).unref().ref();
    end.setEncoding('utf8');
    await Promise.all([t.next(end, 'connect'), t.next(end, 'timeout')]);
    assert.equal(end.timeout, 40);
  });

  for (const [when, later] of Object.entries(schedules)) {
    it(['destroy() of an end just made closes it without an error', when], async (t) => {
      const open = await t.dialler();
      const end = open();
      const recording = t.record(end);
      const results: unknown[] = [];
      end.write('never sent', (error) => results.push(error));
      end.write('nor this', (error) => results.push(error));
      await t.until('destroy()', (resolve) => {
        later(() => {
          end.destroy();
          resolve();
        });
      });
      assert.deepEqual([end.destroyed, end.connecting, end.readyState], [true, false, 'closed']);
      await recording.closed;
      await t.turns(5);
      // A loopback connection may be there before an immediate.
      assert.deepEqual(closingNames(recording), ['close']);
      assertNoErrors(t, recording);
      assert.equal(results.length, 2);
    });
  }

  for (const [when, later] of Object.entries(schedules)) {
    it(['destroy() of an end just made, with nothing written, closes it too', when], async (t) => {
      const open = await t.dialler();
      const end = open();
      const recording = t.record(end);
      later(() => end.destroy());
      await recording.closed;
      assert.deepEqual(closingNames(recording), ['close']);
      assertNoErrors(t, recording);
    });
  }

  it('destroy(error) while connecting gives that error', async (t) => {
    const open = await t.dialler();
    const end = open();
    const recording = t.record(end);
    const error = new Error('changed my mind');
    end.destroy(error);
    await recording.closed;
    assert.deepEqual(recording.names, ['error', 'close']);
    assert.deepEqual(recording.errors, [error]);
    assertOneClose(t, recording);
  });

  for (const [name, needs] of enders) {
    it(['ending while connecting closes once', `${name}()`], needs, async (t) => {
      const open = await t.dialler();
      const end = open();
      const recording = t.record(end);
      end.resume();
      if (name === 'close') await t.wait('close()', Promise.resolve(end.close?.()));
      else end[name]();
      await recording.closed;
      await t.turns(5);
      assertOneClose(t, recording);
      assert.deepEqual(recording.errors, []);
    });
  }

  it("destroy() in 'connect' closes without an error", async (t) => {
    const open = await t.dialler();
    const end = open();
    const recording = t.record(end);
    end.write('sent or not');
    end.once('connect', () => end.destroy());
    await recording.closed;
    assert.deepEqual(recording.errors, []);
    assertOneClose(t, recording);
  });

  it('fifty ends may be opened and destroyed at once', async (t) => {
    const open = await t.dialler();
    const recordings = Array.from({ length: 50 }, (_, i) => {
      const end = open();
      const recording = t.record(end);
      Object.values(schedules)[i % 4]?.(() => end.destroy());
      return recording;
    });
    await Promise.all(recordings.map(({ closed }) => closed));
    for (const recording of recordings) assert.deepEqual(closingNames(recording), ['close']);
  });
});
