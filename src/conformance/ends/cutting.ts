import assert from 'node:assert/strict';

import {
  assertBelow,
  assertCode,
  assertExcludes,
  assertHadError,
  assertIncludes,
  assertNoErrors,
  assertOneClose,
} from '../frame/assertions.ts';
import { group } from '../frame/group.ts';
import type { Recording } from '../frame/recording.ts';
import type { Trial } from '../frame/trial.ts';

const MUCH = 20_000_000;

/** Ends at once: destroy() and resetAndDestroy(), by and for whoever reads or writes. */
export const cutting = group('destroying', [], (it) => {
  for (const who of ['a', 'b'] as const) {
    it(["destroy() with nothing unsent is an 'end' for the peer", `of ${who}`], async (t) => {
      const pair = await t.connected();
      const [mine, peer] = who === 'a' ? [pair.a, pair.b] : [pair.b, pair.a];
      const [atMine, atPeer] = [t.record(mine), t.record(peer)];
      peer.resume();
      mine.destroy();
      assert.deepEqual([mine.destroyed, mine.readable, mine.writable], [true, false, false]);
      await Promise.all([atMine.closed, atPeer.closed]);
      assert.deepEqual(atMine.names, ['close']);
      assertNoErrors(t, atMine);
      assertIncludes(atPeer.names, 'end');
      assertNoErrors(t, atPeer);
    });
  }

  it('destroy() right after a write that was sent loses none of it', async (t) => {
    const { a, b } = await t.connected();
    const recording = t.record(b);
    await t.written(a, 'parting words');
    a.destroy();
    assert.equal((await t.readExactly(b, 13)).toString(), 'parting words');
    b.resume();
    await recording.closed;
    assertIncludes(recording.names, 'end');
    assertNoErrors(t, recording);
  });

  it('destroy(error) emits that error, once, and closes with hadError', async (t) => {
    const { a, b } = await t.connected();
    const [atA, atB] = [t.record(a), t.record(b)];
    const error = new Error('enough');
    b.resume();
    a.destroy(error);
    a.destroy(new Error('more than enough'));
    a.destroy();
    await Promise.all([atA.closed, atB.closed]);
    await t.turns(5);
    assert.deepEqual(atA.names, ['error', 'close']);
    assert.deepEqual(atA.errors, [error]);
    assert.equal(a.errored, error);
    assertHadError(t, atA, true);
    assertOneClose(t, atB);
  });

  it('destroy(error) is ECONNRESET for the peer', ['cuts'], async (t) => {
    const { a, b } = await t.connected();
    const [atA, atB] = [t.record(a), t.record(b)];
    b.resume();
    a.destroy(new Error('enough'));
    await Promise.all([atA.closed, atB.closed]);
    assert.deepEqual(atB.codes, ['ECONNRESET']);
    assertExcludes(atB.names, 'end');
    assertOneClose(t, atB);
  });

  const cut = async (t: Trial): Promise<Recording> => {
    const { a, b } = await t.connected();
    const [atA, atB] = [t.record(a), t.record(b)];
    let bytes = 0;
    b.pause();
    b.on('data', (chunk: Buffer) => (bytes += chunk.length));
    a.write(Buffer.alloc(MUCH));
    await t.turns(5);
    a.destroy();
    b.resume();
    await Promise.all([atA.closed, atB.closed]);
    assert.deepEqual(atA.names, ['close']);
    assertBelow(bytes, MUCH);
    if (t.claims('face')) assertBelow(b.bytesRead, MUCH);
    assertOneClose(t, atB);
    return atB;
  };

  it('destroy() with bytes unsent closes both, without an error here', async (t) => {
    await cut(t);
  });

  it('destroy() with bytes unsent is ECONNRESET for the peer', ['cuts'], async (t) => {
    const recording = await cut(t);
    assert.deepEqual(recording.codes, ['ECONNRESET']);
    assertExcludes(recording.names, 'end');
  });

  for (const who of ['a', 'b'] as const) {
    it(['resetAndDestroy() is ECONNRESET for the peer', `of ${who}`], ['reset'], async (t) => {
      const pair = await t.connected();
      const [mine, peer] = who === 'a' ? [pair.a, pair.b] : [pair.b, pair.a];
      const [atMine, atPeer] = [t.record(mine), t.record(peer)];
      peer.resume();
      assert.equal(mine.resetAndDestroy(), mine);
      await Promise.all([atMine.closed, atPeer.closed]);
      assert.deepEqual(atMine.names, ['close']);
      assertNoErrors(t, atMine);
      assert.deepEqual(atPeer.codes, ['ECONNRESET']);
      assertExcludes(atPeer.names, 'end');
      assertOneClose(t, atPeer);
    });
  }

  it('a peer that is destroyed while bytes come to it is an error for the writer', async (t) => {
    const { a, b } = await t.connected();
    const [atA, atB] = [t.record(a), t.record(b)];
    a.resume();
    a.write(Buffer.alloc(MUCH));
    await t.readExactly(b, 1_000);
    b.destroy();
    await Promise.all([atA.closed, atB.closed]);
    assertCode(atA.errors[0], 'ECONNRESET', 'EPIPE');
    assertOneClose(t, atA);
    assertOneClose(t, atB);
  });

  it('destroy() of both at once leaves no error', async (t) => {
    const { a, b } = await t.connected();
    const [atA, atB] = [t.record(a), t.record(b)];
    a.destroy();
    b.destroy();
    await Promise.all([atA.closed, atB.closed]);
    assert.deepEqual([atA.names, atB.names], [['close'], ['close']]);
  });

  it('no byte is given after destroy()', async (t) => {
    const { a, b } = await t.connected();
    const recording = t.record(b);
    let after = 0;
    b.on('data', () => {
      if (b.destroyed) after++;
      b.destroy();
    });
    for (let i = 0; i < 50; i++) a.write(Buffer.alloc(10_000));
    a.on('error', () => undefined);
    await recording.closed;
    assert.equal(after, 0);
    assert.deepEqual(recording.names, ['close']);
  });

  for (const moment of ['end', 'finish', 'write'] as const) {
    const where = moment === 'write' ? 'the callback of a write' : `'${moment}'`;
    it(['destroy() in a handler is no error', `in ${where}`], async (t) => {
      const { a, b } = await t.connected({ allowHalfOpen: true });
      const [atA, atB] = [t.record(a), t.record(b)];
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
      assert.deepEqual([atA.errors, atB.errors], [[], []]);
    });
  }

  it('what is called after the end does no harm', async (t) => {
    const { a, b } = await t.connected();
    const recording = t.record(a);
    b.resume();
    a.destroy();
    await recording.closed;
    const error = await t.written(a, 'x');
    assertCode(error, 'ERR_STREAM_DESTROYED');
    if (t.claims('face')) a.setNoDelay().setKeepAlive(true).ref().unref();
    if (t.claims('idleTimeout')) a.setTimeout(10);
    a.pause().resume();
    a.cork();
    a.uncork();
    if (t.claims('destroySoon')) a.destroySoon();
    if (t.claims('reset')) a.resetAndDestroy();
    a.destroy(new Error('late'));
    assert.equal(a.read(), null);
    if (t.claims('face')) assert.equal(typeof a.address(), 'object');
    await t.turns(10);
    assert.deepEqual(recording.names, ['close']);
  });
});
