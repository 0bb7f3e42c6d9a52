import type net from 'node:net';

import { describe, expect, expectTypeOf, onTestFinished, test, vi } from 'vitest';

import { bytesOf, sha256 } from '../../../src/conformance/frame/bytes.ts';
import type { YamuxStream } from '../../../src/yamux/index.ts';
import { Flag, FrameType, INITIAL_WINDOW } from '../../../src/yamux/wire/frame.ts';
import { next, record, turns } from '../../support/events.ts';
import type { Pair, PairOptions } from '../../support/pairs/pairs.ts';
import { readAll } from '../../support/reading.ts';
import { streamPair } from '../pairs.ts';
import { frame, type RawPeer, rawSession } from '../raw-peer.ts';

const { data, ping, windowUpdate } = FrameType;
const { ack, syn } = Flag;
const MIB = 1024 * 1024;

async function pair(options?: PairOptions): Promise<Pair<YamuxStream>> {
  const streams = await streamPair(options);
  onTestFinished(() => streams.stop());
  return streams;
}

/** A stream that a raw peer has opened. */
async function accepted(): Promise<{ readonly stream: YamuxStream; readonly peer: RawPeer }> {
  const { session, peer } = await rawSession();
  const opened = next(session, 'stream');
  peer.send(frame(windowUpdate, 1, 1, 0));
  return { stream: ((await opened) as [YamuxStream])[0], peer };
}

function credits(peer: RawPeer): number[] {
  return peer.frames
    .filter(({ type, length }) => type === windowUpdate && length > 0)
    .map(({ length }) => length);
}

describe('a stream', () => {
  test('is a net.Socket to the compiler', () => {
    expectTypeOf<YamuxStream>().toExtend<net.Socket>();
  });

  test('opens its window as its user reads, not as bytes come', async () => {
    const { stream, peer } = await accepted();
    peer.send(frame(data, 0, 1, INITIAL_WINDOW, Buffer.alloc(INITIAL_WINDOW)));
    await peer.settled();
    expect(credits(peer)).toEqual([]);
    stream.resume();
    await peer.settled();
    expect(credits(peer).reduce((sum, length) => sum + length, 0)).toBeGreaterThanOrEqual(
      INITIAL_WINDOW / 2,
    );
  });

  test('grows its window with the first credit, since the round trip is measured when it begins', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    onTestFinished(() => {
      vi.useRealTimers();
    });
    const { stream, peer } = await accepted();
    const { length } = await peer.frame(({ type, flags }) => type === ping && flags === syn);
    vi.advanceTimersByTime(50);
    peer.send(frame(ping, ack, 0, length));
    stream.resume();
    peer.send(frame(data, 0, 1, INITIAL_WINDOW / 2, Buffer.alloc(INITIAL_WINDOW / 2)));
    await peer.settled();
    expect(credits(peer)).toEqual([INITIAL_WINDOW / 2 + 3 * INITIAL_WINDOW]);
  });

  test.each([1_000, 65_536, 10 * MIB])(
    'gets all bytes with a read buffer of %i bytes, read() by read()',
    async (size) => {
      const { a, b } = await pair({ readableHighWaterMark: size });
      const bytes = bytesOf(1, 3 * MIB);
      a.end(bytes);
      const parts: Buffer[] = [];
      b.on('readable', () => {
        for (let part = b.read(); part !== null; part = b.read()) parts.push(part as Buffer);
      });
      await next(b, 'end');
      expect(sha256(parts)).toBe(sha256(bytes));
    },
  );

  test('gets all bytes as text of any encoding', async () => {
    for (const encoding of ['utf8', 'hex', 'base64'] as const) {
      const { a, b } = await pair();
      const bytes = Buffer.from('ä€𝄞'.repeat(100_000));
      b.setEncoding(encoding);
      let text = '';
      b.on('data', (chunk: string) => (text += chunk));
      a.end(bytes);
      await next(b, 'end');
      expect(text === bytes.toString(encoding)).toBe(true);
    }
  });

  test('sends FIN behind the last byte, also when the window was full', async () => {
    const { stream, peer } = await accepted();
    stream.end(Buffer.alloc(INITIAL_WINDOW + 10));
    await turns(10);
    expect(peer.frames.some(({ flags }) => (flags & 4) !== 0)).toBe(false);
    peer.send(frame(windowUpdate, 0, 1, 10));
    await peer.frame(({ flags }) => (flags & 4) !== 0);
    const sent = peer.frames
      .filter(({ type }) => type === data)
      .reduce((sum, { length }) => sum + length, 0);
    expect(sent).toBe(INITIAL_WINDOW + 10);
  });

  test('takes FIN and RST that ride on data, behind the bytes', async () => {
    const { stream, peer } = await accepted();
    peer.send(frame(data, 4, 1, 4, Buffer.from('last')));
    expect(String(await readAll(stream))).toBe('last');

    const other = await accepted();
    const received = next(other.stream, 'data');
    const failed = next(other.stream, 'error');
    other.peer.send(frame(data, 8, 1, 4, Buffer.from('last')));
    expect(String((await received)[0])).toBe('last');
    expect((await failed)[0]).toMatchObject({ code: 'ECONNRESET' });
  });

  test('that was never heard of leaves nothing on the wire', async () => {
    const { session, peer } = await rawSession();
    session.open().destroy();
    session.open().resetAndDestroy();
    await peer.settled();
    expect(peer.frames.filter(({ type }) => type !== FrameType.ping)).toEqual([]);
    expect(session.numStreams).toBe(0);
  });

  test('destroyed twice over, by both ends, ends once', async () => {
    const { a, b } = await pair();
    const [atA, atB] = [record(a), record(b)];
    a.resetAndDestroy();
    b.resetAndDestroy();
    a.destroy(new Error('late'));
    await Promise.all([atA.closed, atB.closed]);
    await turns(5);
    expect([atA.names, atB.names]).toEqual([['close'], ['close']]);
  });

  test('close() gives null when the peer does not end its half, at the time limit', async () => {
    const { stream, peer } = await accepted();
    const closing = stream.close();
    expect(stream.close()).toBe(closing);
    peer.send(frame(data, 0, 1, 5, Buffer.from('stray')));
    expect(await closing).toBeNull();
    expect(stream.bytesRead).toBe(5);
  });

  test('close() is ETIMEDOUT when its bytes could not be sent', async () => {
    const { stream, peer } = await accepted();
    stream.write(Buffer.alloc(2 * INITIAL_WINDOW));
    expect(await stream.close()).toMatchObject({ code: 'ETIMEDOUT' });
    await peer.frame(({ flags }) => flags === 8);
  });

  test('destroy() while a peer waits for its window lets the peer find out', async () => {
    const { a, b } = await pair();
    const atA = record(a);
    a.write(Buffer.alloc(MIB));
    await turns(10);
    b.destroy();
    await atA.closed;
    expect(atA.errors).toMatchObject([{ code: 'ECONNRESET' }]);
  });
});
