import { describe, expect, onTestFinished, test, vi } from 'vitest';

import type { YamuxSession, YamuxStream } from '../../../src/yamux/index.ts';
import { Flag, FrameType, INITIAL_WINDOW, MAX_UINT32 } from '../../../src/yamux/wire/frame.ts';
import { next, turns } from '../../support/events.ts';
import { openStream, sessionPair } from '../pairs.ts';
import { frame, type RawPeer, rawSession } from '../raw-peer.ts';

const { data, windowUpdate, ping, goAway } = FrameType;
const { syn, ack, fin, rst } = Flag;
const MIB = 1024 * 1024;

const open = (id: number): Buffer => frame(windowUpdate, syn, id, 0);

/**
 * Waits for what a broken protocol comes to: GoAway for a protocol error, and the session ends with
 * EPROTO.
 */
async function expectProtocolError(session: YamuxSession, peer: RawPeer): Promise<void> {
  const [error] = await next(session, 'error');
  expect(error).toMatchObject({ name: 'WsConnError', code: 'EPROTO' });
  expect(await peer.frame(({ type }) => type === goAway)).toMatchObject({ length: 1 });
  expect(await session.close()).toBe(error);
  expect(session.numStreams).toBe(0);
}

describe('a peer that breaks the protocol', () => {
  const violations: readonly (readonly [string, readonly Buffer[]])[] = [
    ['a version that is not 0', [Buffer.from('010000000000000000000000', 'hex')]],
    ['a type that there is not', [frame(4, 0, 0, 0)]],
    ['flags that there are not', [frame(data, 0x10, 1, 0)]],
    ['data for the session', [frame(data, 0, 0, 1)]],
    ['a window for the session', [frame(windowUpdate, 0, 0, 1)]],
    ['a stream with a number of our own parity', [open(2)]],
    ['a stream that is open already', [open(1), open(1)]],
    ['data beyond the window, in one frame', [open(1), frame(data, 0, 1, INITIAL_WINDOW + 1)]],
    [
      'data beyond the window, in two frames',
      [
        open(1),
        frame(data, 0, 1, INITIAL_WINDOW, Buffer.alloc(INITIAL_WINDOW)),
        frame(data, 0, 1, 1),
      ],
    ],
    ['data of 2^32 - 1 bytes', [open(1), frame(data, 0, 1, MAX_UINT32)]],
    ['data of 2^32 - 1 bytes for a stream that there is not', [frame(data, 0, 99, MAX_UINT32)]],
    ['a window beyond 2^32 - 1', [open(1), frame(windowUpdate, 0, 1, MAX_UINT32)]],
    [
      'data after the end of its half',
      [open(1), frame(windowUpdate, fin, 1, 0), frame(data, 0, 1, 1)],
    ],
  ];

  test.each(violations)('is told so for %s, and the session ends', async (_name, frames) => {
    const { session, peer } = await rawSession();
    session.on('stream', (stream) => stream.on('error', () => undefined));
    peer.send(...frames);
    await expectProtocolError(session, peer);
  });

  test('fails the streams that are open, a blocked writer among them', async () => {
    const { session, peer } = await rawSession();
    const stream = session.open();
    stream.write(Buffer.alloc(MIB));
    const failed = next(stream, 'error');
    session.on('error', () => undefined);
    await peer.frame(({ type }) => type === data);
    peer.send(frame(9, 0, 0, 0));
    expect((await failed)[0]).toMatchObject({ code: 'EPROTO' });
  });

  test('does no harm to another session', async () => {
    const other = await sessionPair();
    const { a, b } = await openStream(other.a, other.b);
    const { session, peer } = await rawSession();
    peer.send(frame(9, 0, 0, 0));
    await expectProtocolError(session, peer);
    a.write('still here');
    expect(String((await next(b, 'data'))[0])).toBe('still here');
    await other.stop();
  });
});

describe('a peer that sends what does not concern an open stream', () => {
  test.each([
    ['a window', frame(windowUpdate, 0, 7, 1_000)],
    ['RST', frame(windowUpdate, rst, 7, 0)],
    ['FIN', frame(windowUpdate, fin, 7, 0)],
    ['ACK', frame(windowUpdate, ack, 7, 0)],
    ['data', frame(data, 0, 7, 3, Buffer.from('abc'))],
    ['data with FIN', frame(data, fin, 7, 3, Buffer.from('abc'))],
    ['an answer to no ping', frame(ping, ack, 0, 77)],
  ])('is not listened to: %s', async (_name, bytes) => {
    const { session, peer } = await rawSession();
    peer.send(bytes, bytes);
    await peer.settled();
    expect(session.destroyed).toBe(false);
    expect(session.numStreams).toBe(0);
  });

  test('may not go on for more than a window', async () => {
    const { session, peer } = await rawSession();
    const body = Buffer.alloc(65_536);
    for (let i = 0; i < 4; i++) peer.send(frame(data, 0, 7, body.length, body));
    await peer.settled();
    expect(session.destroyed).toBe(false);
    peer.send(frame(data, 0, 7, 1, Buffer.alloc(1)));
    await expectProtocolError(session, peer);
  });

  test('gets RST for data to a stream that was destroyed in order', async () => {
    const { session, peer } = await rawSession();
    const accepted = next(session, 'stream');
    peer.send(open(1));
    ((await accepted) as [YamuxStream])[0].destroy();
    await peer.frame(({ flags }) => (flags & fin) !== 0);
    peer.send(frame(data, 0, 1, 3, Buffer.from('abc')));
    await peer.frame(({ flags, streamId }) => flags === rst && streamId === 1);
  });
});

describe('a header cut in two', () => {
  test('is understood wherever the cut is', async () => {
    for (let cut = 1; cut < 12; cut++) {
      const { session, peer } = await rawSession();
      const accepted = next(session, 'stream');
      const bytes = Buffer.concat([open(1), frame(data, 0, 1, 2, Buffer.from('hi'))]);
      peer.transport.write(bytes.subarray(0, 12 + cut));
      const [stream] = (await accepted) as [YamuxStream];
      const received = next(stream, 'data');
      peer.transport.write(bytes.subarray(12 + cut));
      expect(String((await received)[0])).toBe('hi');
    }
  });

  test('and never finished is a cut session', async () => {
    const { session, peer } = await rawSession();
    const failed = next(session, 'error');
    peer.transport.end(open(1).subarray(0, 5));
    expect((await failed)[0]).toMatchObject({ code: 'ECONNRESET' });
  });
});

describe('a peer that goes away', () => {
  test.each([
    [1, 'EPROTO'],
    [2, 'ECONNRESET'],
    [77, 'ECONNRESET'],
  ])('with code %i ends the session with %s', async (reason, code) => {
    const { session, peer } = await rawSession();
    const [gone, failed] = [next(session, 'goaway'), next(session, 'error')];
    peer.send(frame(goAway, 0, 0, reason));
    expect(await gone).toEqual([reason]);
    expect((await failed)[0]).toMatchObject({ code });
  });
});

describe('a peer that never answers', () => {
  test('a SYN has its stream fail with ETIMEDOUT, and reset, while the session lives', async () => {
    const { session, peer } = await rawSession({ streamOpenTimeout: 30 });
    const stream = session.open();
    expect((await next(stream, 'error'))[0]).toMatchObject({ code: 'ETIMEDOUT' });
    await peer.frame(({ flags }) => flags === rst);
    await peer.settled();
    expect(session.destroyed).toBe(false);
  });

  test('a ping has it rejected with ETIMEDOUT', async () => {
    const { session } = await rawSession({ keepalive: { pongTimeout: 20 } });
    await expect(session.ping()).rejects.toMatchObject({ code: 'ETIMEDOUT' });
  });

  test('our FIN has the stream reset after a while, and not while its bytes are unread', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => {
      vi.useRealTimers();
    });
    const { session, peer } = await rawSession({ streamCloseTimeout: 50 });
    const accepted = next(session, 'stream');
    peer.send(open(1), frame(data, 0, 1, 3, Buffer.from('abc')));
    const [stream] = (await accepted) as [YamuxStream];
    stream.end();
    await next(stream, 'finish');
    vi.advanceTimersByTime(200);
    expect(stream.destroyed).toBe(false);
    const failed = next(stream, 'error');
    stream.resume();
    await peer.settled();
    vi.advanceTimersByTime(49);
    expect(stream.destroyed).toBe(false);
    vi.advanceTimersByTime(1);
    expect((await failed)[0]).toMatchObject({ code: 'ETIMEDOUT' });
    await peer.frame(({ flags }) => flags === rst);
  });
});

describe('a flood', () => {
  test('of pings that are read is answered', async () => {
    const { session, peer } = await rawSession();
    const pings = Buffer.concat(Array.from({ length: 5_000 }, (_, i) => frame(ping, syn, 0, i)));
    peer.send(pings);
    await peer.frame(
      ({ type, flags, length }) => type === ping && flags === ack && length === 4_999,
    );
    expect(session.destroyed).toBe(false);
  });

  test('of pings whose answers are not read ends the session, in bounded memory', async () => {
    const { session, peer } = await rawSession();
    peer.transport.pause();
    const pings = Buffer.concat(Array.from({ length: 5_000 }, (_, i) => frame(ping, syn, 0, i)));
    const failed = next(session, 'error');
    let sent = 0;
    const before = process.memoryUsage().rss;
    while (!session.destroyed) {
      sent += pings.length;
      await new Promise((resolve) => peer.transport.write(pings, resolve));
    }
    expect((await failed)[0]).toMatchObject({ code: 'EPROTO' });
    expect(sent).toBeLessThan(2 * MIB);
    expect(process.memoryUsage().rss - before).toBeLessThan(32 * MIB);
  });

  test('that is none: pings and resets of our own may wait in any number', async () => {
    const { session, peer } = await rawSession({ role: 'client', acceptBacklog: 10_000 });
    const streams = Array.from({ length: 5_000 }, () => session.open());
    const answered = streams.map((stream) => next(stream, 'connect'));
    await peer.frame(({ streamId }) => streamId === streams.at(-1)?.id);
    peer.send(...streams.map(({ id }) => frame(windowUpdate, ack, id, 0)));
    await Promise.all(answered);
    const filler = session.open();
    peer.transport.pause();
    filler.write(Buffer.alloc(MIB));
    await turns(5);
    const pings = Promise.all(
      Array.from({ length: 5_000 }, () => session.ping().catch(() => undefined)),
    );
    for (const stream of streams) stream.destroy();
    await turns(5);
    expect(session.destroyed).toBe(false);
    peer.transport.resume();
    await peer.settled();
    expect(session.destroyed).toBe(false);
    await session.close();
    await pings;
  });

  test('of SYNs gets RST past the backlog', async () => {
    const { session, peer } = await rawSession({ acceptBacklog: 10 });
    for (let id = 1; id <= 2_001; id += 2) peer.send(open(id));
    await peer.settled();
    const refused = peer.frames
      .filter(({ flags }) => flags === rst)
      .map(({ streamId }) => streamId);
    expect(session.numStreams).toBe(10);
    expect(refused).toHaveLength(991);
    expect(refused[0]).toBe(21);
  });

  test('of tiny frames that nobody reads stays about the size of their bytes', async () => {
    const { session, peer } = await rawSession();
    const accepted = next(session, 'stream');
    peer.send(open(1));
    const [stream] = (await accepted) as [YamuxStream];
    const frames = Buffer.concat(
      Array.from({ length: 5_000 }, () => frame(data, 0, 1, 1, Buffer.of(1))),
    );
    const before = process.memoryUsage();
    for (let i = 0; i < 50; i++)
      await new Promise((resolve) => peer.transport.write(frames, resolve));
    await peer.settled();
    const after = process.memoryUsage();
    expect(stream.bytesRead).toBe(250_000);
    expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(8 * MIB);
    stream.destroy();
  });

  test('of unread bytes in many streams resets those beyond sessionWindowLimit', async () => {
    const { session, peer } = await rawSession({ sessionWindowLimit: MIB });
    const streams: YamuxStream[] = [];
    const errors: unknown[] = [];
    session.on('stream', (stream) => {
      streams.push(stream);
      stream.on('error', (error) => errors.push(error));
    });
    const body = Buffer.alloc(INITIAL_WINDOW);
    for (let id = 1; id <= 39; id += 2) peer.send(open(id), frame(data, 0, id, body.length, body));
    await peer.settled();
    const unread = streams
      .filter(({ destroyed }) => !destroyed)
      .reduce((sum, { bytesRead }) => sum + bytesRead, 0);
    expect(unread).toBeLessThanOrEqual(MIB);
    expect(errors).toHaveLength(16);
    expect(errors[0]).toMatchObject({ code: 'ECONNRESET' });
    expect(session.destroyed).toBe(false);
  });
});
