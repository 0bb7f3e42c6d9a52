import { describe, expect, onTestFinished, test, vi } from 'vitest';

import type { YamuxSessionOptions, YamuxStream } from '../../../src/yamux/index.ts';
import { Flag, FrameType } from '../../../src/yamux/wire/frame.ts';
import { closeOf, next, record, turns } from '../../support/events.ts';
import { readAll, readExactly } from '../../support/reading.ts';
import {
  type MakeTransport,
  openStream,
  overTcp,
  sessionPair,
  type SessionPair,
} from '../pairs.ts';
import { frame, rawSession } from '../raw-peer.ts';

async function pair(
  options?: Omit<YamuxSessionOptions, 'role'>,
  makeTransport?: MakeTransport,
): Promise<SessionPair> {
  const sessions = await sessionPair(options, options, makeTransport);
  onTestFinished(() => sessions.stop());
  return sessions;
}

describe('streams of a session', () => {
  test('are numbered odd by the client and even by the server', async () => {
    const { a, b } = await pair();
    expect([a.open().id, a.open().id, b.open().id, b.open().id]).toEqual([1, 3, 2, 4]);
  });

  test('take writes before the peer has accepted them', async () => {
    const { a, b } = await pair();
    const stream = a.open();
    stream.write('early');
    expect(stream.connecting).toBe(true);
    await turns(5);
    expect(stream.connecting).toBe(true);
    const [accepted] = (await next(b, 'stream')) as [YamuxStream];
    expect(String(await readExactly(accepted, 5))).toBe('early');
    if (stream.connecting) await next(stream, 'connect');
    expect(stream.readyState).toBe('open');
  });

  test('wait for for await, in order, and the loop ends with the session', async () => {
    const { a, b } = await pair();
    for (const word of ['one', 'two', 'three']) a.open().end(word);
    const words: string[] = [];
    for await (const stream of b) {
      words.push(String(await readAll(stream)));
      if (words.length === 3) void a.close();
    }
    expect(words).toEqual(['one', 'two', 'three']);
  });

  test('that nobody takes do no harm when the peer resets them', async () => {
    const { a, b } = await pair();
    const stream = a.open();
    await a.ping();
    stream.resetAndDestroy();
    await a.ping();
    expect(b.numStreams).toBe(0);
    const other = a.open();
    const [accepted] = (await next(b, 'stream')) as [YamuxStream];
    expect(accepted.id).toBe(other.id);
  });

  test('beyond the backlog of the peer wait for their turn, and none is refused', async () => {
    const { a, b } = await pair({ acceptBacklog: 4 });
    const answers = Array.from({ length: 50 }, (_, i) => {
      const stream = a.open({ allowHalfOpen: true });
      stream.end(String(i));
      return readAll(stream).then(String);
    });
    await a.ping();
    expect(b.numStreams).toBe(4);
    b.on('stream', (stream) => stream.pipe(stream));
    expect(await Promise.all(answers)).toEqual(Array.from({ length: 50 }, (_, i) => String(i)));
  });

  test('that are let go of unanswered keep their place in the backlog of the peer, and none is refused', async () => {
    const { a, b } = await pair({ acceptBacklog: 4 });
    for (let i = 0; i < 50; i++) {
      const stream = a.open();
      stream.end(String(i));
      stream.destroySoon();
    }
    const words: string[] = [];
    for await (const stream of b) {
      words.push(String(await readAll(stream)));
      if (words.length === 50) void a.close();
    }
    expect(words).toEqual(Array.from({ length: 50 }, (_, i) => String(i)));
  });

  test('that end with nothing in them wait for their user too', async () => {
    const { session, peer } = await rawSession();
    peer.send(frame(FrameType.windowUpdate, Flag.syn | Flag.fin, 1, 0));
    await peer.settled();
    expect(session.numStreams).toBe(1);
    const [accepted] = (await next(session, 'stream')) as [YamuxStream];
    const recording = record(accepted);
    await recording.closed;
    expect(recording.names).toEqual(['end', 'finish', 'close']);
  });

  test('that the peer has reset before the loop has them are left out', async () => {
    const { session, peer } = await rawSession();
    const ids: number[] = [];
    const loop = (async () => {
      for await (const stream of session) {
        ids.push(stream.id);
        const closed = closeOf(stream);
        stream.resume();
        if (ids.length === 1) peer.send(frame(FrameType.data, Flag.fin, stream.id, 0));
        await closed;
        if (stream.id === 5) break;
      }
    })();
    const { windowUpdate } = FrameType;
    const [open, reset] = [
      frame(windowUpdate, Flag.syn, 1, 0),
      frame(windowUpdate, Flag.rst, 1, 0),
    ];
    peer.send(open, reset);
    peer.send(frame(windowUpdate, Flag.syn, 3, 0), frame(windowUpdate, Flag.rst, 3, 0));
    peer.send(frame(windowUpdate, Flag.syn | Flag.fin, 5, 0));
    await loop;
    expect(ids).toEqual([5]);
  });

  test('that a handler destroys as they come, ended already, are not reset later', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => {
      vi.useRealTimers();
    });
    const { session, peer } = await rawSession({ streamCloseTimeout: 50 });
    session.on('stream', (stream) => stream.destroy());
    peer.send(frame(FrameType.windowUpdate, Flag.syn | Flag.fin, 1, 0));
    await peer.frame(({ streamId, flags }) => streamId === 1 && (flags & Flag.fin) !== 0);
    vi.advanceTimersByTime(50);
    await peer.settled();
    expect(peer.frames.filter(({ flags }) => (flags & Flag.rst) !== 0)).toEqual([]);
  });

  test('have the addresses of the transport', async () => {
    const { a, b, transport } = await pair({}, overTcp);
    const stream = await openStream(a, b);
    expect(stream.a.remotePort).toBe((transport.a as unknown as YamuxStream).remotePort);
    expect(stream.b.address()).toEqual((transport.b as unknown as YamuxStream).address());
  });

  test('ten thousand opened and closed leave nothing', async () => {
    const { a, b } = await pair();
    b.on('stream', (stream) => stream.pipe(stream));
    for (let round = 0; round < 20; round++) {
      await Promise.all(
        Array.from({ length: 500 }, async () => {
          const stream = a.open({ allowHalfOpen: true });
          stream.end('x');
          await readAll(stream);
        }),
      );
    }
    await a.ping();
    expect([a.numStreams, b.numStreams]).toEqual([0, 0]);
  });
});
