import assert from 'node:assert/strict';
import net from 'node:net';
import { Duplex } from 'node:stream';

import { assertAbove, assertAtMost } from '../frame/assertions.ts';
import { group } from '../frame/group.ts';
import type { End } from '../frame/subject.ts';

function states(end: End): unknown {
  const { connecting, pending, destroyed, closed, readyState, readable, writable } = end;
  return { connecting, pending, destroyed, closed, readyState, readable, writable };
}

/** What a library sees that looks at the socket instead of its bytes. */
export const face = group('the face of net.Socket', ['face'], (it) => {
  it('a connected socket says so', async (t) => {
    const { a, b } = await t.connected();
    for (const end of [a, b]) {
      assert.ok(end instanceof Duplex);
      assert.equal(typeof end.pending, 'boolean');
      assert.deepEqual(states(end), {
        connecting: false,
        pending: false,
        destroyed: false,
        closed: false,
        readyState: 'open',
        readable: true,
        writable: true,
      });
      assert.deepEqual([end.bytesRead, end.bytesWritten], [0, 0]);
      assert.deepEqual([end.readableObjectMode, end.writableObjectMode], [false, false]);
      assert.equal(end.allowHalfOpen, false);
      assert.ok([undefined, 0].includes(end.timeout));
    }
  });

  it('allowHalfOpen is what was asked for', async (t) => {
    const { a, b } = await t.connected({ allowHalfOpen: true });
    assert.deepEqual([a.allowHalfOpen, b.allowHalfOpen], [true, true]);
  });

  it('readyState follows each direction', async (t) => {
    const { a, b } = await t.connected({ allowHalfOpen: true });
    const [atA, atB] = [t.record(a), t.record(b)];
    a.end();
    assert.deepEqual([a.readyState, a.writable, a.writableEnded], ['readOnly', false, true]);
    b.resume();
    await t.next(b, 'end');
    assert.deepEqual([b.readyState, b.readable, b.readableEnded], ['writeOnly', false, true]);
    a.resume();
    b.end();
    await Promise.all([atA.closed, atB.closed]);
    for (const end of [a, b]) {
      assert.equal(typeof end.pending, 'boolean');
      assert.deepEqual(states(end), {
        connecting: false,
        // net.Socket takes a socket that is gone for one yet to connect.
        pending: end.pending,
        destroyed: true,
        closed: true,
        readyState: 'closed',
        readable: false,
        writable: false,
      });
    }
  });

  it('destroy() shows at once', async (t) => {
    const { a } = await t.connected();
    const recording = t.record(a);
    assert.equal(a.destroy(), a);
    assert.deepEqual([a.destroyed, a.readyState], [true, 'closed']);
    await recording.closed;
    assert.equal(a.closed, true);
  });

  it('setters give the socket back, to be chained', async (t) => {
    const { a } = await t.connected();
    const callback = (): void => undefined;
    assert.equal(a.setTimeout(1_000).setTimeout(1_000, callback).setTimeout(0, callback), a);
    assert.equal(a.setNoDelay().setNoDelay(false).setNoDelay(true), a);
    assert.equal(a.setKeepAlive().setKeepAlive(true, 1_000).setKeepAlive(false), a);
    assert.equal(a.ref().unref().ref(), a);
    assert.equal(a.pause().resume(), a);
    assert.equal(a.setEncoding('latin1'), a);
    assert.equal(a.readableEncoding, 'latin1');
  });

  it('addresses are those of the connection', ['addresses'], async (t) => {
    const { a, b } = await t.connected();
    for (const [mine, peer] of [
      [a, b],
      [b, a],
    ] as const) {
      const { localAddress: address, localFamily: family, localPort: port } = mine;
      assert.deepEqual(mine.address(), { address, family, port });
      assert.deepEqual([peer.remoteAddress, peer.remotePort], [address, port]);
      assert.equal(net.isIP(String(address)), 4);
      assert.deepEqual([family, peer.remoteFamily], ['IPv4', 'IPv4']);
      assertAbove(Number(port), 0);
    }
    assert.notEqual(a.localPort, b.localPort);
  });

  it('bufferSize and writableLength tell what waits', async (t) => {
    const { a, b } = await t.connected();
    b.resume();
    a.cork();
    a.write('12345');
    assert.deepEqual([a.writableLength, a.bytesWritten], [5, 5]);
    a.uncork();
    const drained = t.written(a, '');
    await drained;
    assert.deepEqual([a.writableLength, a.bytesWritten], [0, 5]);
  });

  it('no listener of the socket itself is in the way of a user of many', async (t) => {
    const { a } = await t.connected();
    for (const event of ['data', 'end', 'close', 'error', 'timeout', 'drain', 'connect']) {
      assertAtMost(a.listenerCount(event), 1);
    }
  });
});
