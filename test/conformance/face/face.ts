import net from 'node:net';
import { Duplex } from 'node:stream';

import { describe, expect, test } from 'vitest';

import { next, record } from '../../support/events.ts';
import { connected, type End, type Subject } from '../subject.ts';

function states(end: End): unknown {
  const { connecting, pending, destroyed, closed, readyState, readable, writable } = end;
  return { connecting, pending, destroyed, closed, readyState, readable, writable };
}

/** What a library sees that looks at the socket instead of its bytes. */
export function face(subject: Subject): void {
  const { features } = subject;

  describe('the face of net.Socket', () => {
    test('a connected socket says so', async () => {
      const { a, b } = await connected(subject);
      for (const end of [a, b]) {
        expect(end).toBeInstanceOf(Duplex);
        expect(states(end)).toEqual({
          connecting: false,
          pending: false,
          destroyed: false,
          closed: false,
          readyState: 'open',
          readable: true,
          writable: true,
        });
        expect([end.bytesRead, end.bytesWritten]).toEqual([0, 0]);
        expect([end.readableObjectMode, end.writableObjectMode]).toEqual([false, false]);
        expect(end.allowHalfOpen).toBe(false);
        expect([undefined, 0]).toContain(end.timeout);
      }
    });

    test('allowHalfOpen is what was asked for', async () => {
      const { a, b } = await connected(subject, { allowHalfOpen: true });
      expect([a.allowHalfOpen, b.allowHalfOpen]).toEqual([true, true]);
    });

    test('readyState follows each direction', async () => {
      const { a, b } = await connected(subject, { allowHalfOpen: true });
      const [atA, atB] = [record(a), record(b)];
      a.end();
      expect([a.readyState, a.writable, a.writableEnded]).toEqual(['readOnly', false, true]);
      b.resume();
      await next(b, 'end');
      expect([b.readyState, b.readable, b.readableEnded]).toEqual(['writeOnly', false, true]);
      a.resume();
      b.end();
      await Promise.all([atA.closed, atB.closed]);
      for (const end of [a, b]) {
        expect(states(end)).toEqual({
          connecting: false,
          pending: expect.any(Boolean) as boolean, // net.Socket takes a socket that is gone for one yet to connect
          destroyed: true,
          closed: true,
          readyState: 'closed',
          readable: false,
          writable: false,
        });
      }
    });

    test('destroy() shows at once', async () => {
      const { a } = await connected(subject);
      const recording = record(a);
      expect(a.destroy()).toBe(a);
      expect([a.destroyed, a.readyState]).toEqual([true, 'closed']);
      await recording.closed;
      expect(a.closed).toBe(true);
    });

    test('setters give the socket back, to be chained', async () => {
      const { a } = await connected(subject);
      const callback = (): void => undefined;
      expect(a.setTimeout(1_000).setTimeout(1_000, callback).setTimeout(0, callback)).toBe(a);
      expect(a.setNoDelay().setNoDelay(false).setNoDelay(true)).toBe(a);
      expect(a.setKeepAlive().setKeepAlive(true, 1_000).setKeepAlive(false)).toBe(a);
      expect(a.ref().unref().ref()).toBe(a);
      expect(a.pause().resume()).toBe(a);
      expect(a.setEncoding('latin1')).toBe(a);
      expect(a.readableEncoding).toBe('latin1');
    });

    test('addresses are those of the connection', async ({ skip }) => {
      skip(!features.addresses, 'its ends have no addresses of their own');
      const { a, b } = await connected(subject);
      for (const [mine, peer] of [
        [a, b],
        [b, a],
      ] as const) {
        const { localAddress: address, localFamily: family, localPort: port } = mine;
        expect(mine.address()).toEqual({ address, family, port });
        expect([peer.remoteAddress, peer.remotePort]).toEqual([address, port]);
        expect(net.isIP(String(address))).toBe(4);
        expect([family, peer.remoteFamily]).toEqual(['IPv4', 'IPv4']);
        expect(port).toBeGreaterThan(0);
      }
      expect(a.localPort).not.toBe(b.localPort);
    });

    test('bufferSize and writableLength tell what waits', async () => {
      const { a, b } = await connected(subject);
      b.resume();
      a.cork();
      a.write('12345');
      expect([a.writableLength, a.bytesWritten]).toEqual([5, 5]);
      a.uncork();
      const drained = new Promise((resolve) => a.write('', resolve));
      await drained;
      expect([a.writableLength, a.bytesWritten]).toEqual([0, 5]);
    });

    test('no listener of the socket itself is in the way of a user of many', async () => {
      const { a } = await connected(subject);
      for (const event of ['data', 'end', 'close', 'error', 'timeout', 'drain', 'connect']) {
        expect(a.listenerCount(event)).toBeLessThanOrEqual(1);
      }
    });
  });
}
