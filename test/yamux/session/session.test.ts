import { type Duplex, PassThrough } from 'node:stream';

import { describe, expect, onTestFinished, test, vi } from 'vitest';

import { bytesOf, sha256 } from '../../../src/conformance/frame/bytes.ts';
import {
  YamuxSession,
  type YamuxSessionOptions,
  type YamuxStream,
} from '../../../src/yamux/index.ts';
import { FrameType, INITIAL_WINDOW } from '../../../src/yamux/wire/frame.ts';
import { closeOf, next, record, turns } from '../../support/events.ts';
import { type Pair, tcpPair } from '../../support/pairs/pairs.ts';
import { readAll } from '../../support/reading.ts';
import { hanging } from '../hanging.ts';
import {
  type MakeTransport,
  memoryPair,
  openStream,
  overAdapter,
  overTcp,
  sessionPair,
  type SessionPair,
} from '../pairs.ts';
import { frame, rawSession } from '../raw-peer.ts';

type Options = Omit<YamuxSessionOptions, 'role'>;

const MIB = 1024 * 1024;
const INVALID_STATE: unknown = expect.objectContaining({ code: 'ERR_INVALID_STATE' });

async function pair(options?: Options, makeTransport?: MakeTransport): Promise<SessionPair> {
  const sessions = await sessionPair(options, options, makeTransport);
  onTestFinished(() => sessions.stop());
  return sessions;
}

describe('a new session', () => {
  test.each([
    [undefined, 'ERR_INVALID_ARG_TYPE', 'options'],
    [null, 'ERR_INVALID_ARG_TYPE', 'options'],
    [{}, 'ERR_INVALID_ARG_VALUE', 'options.role'],
    [{ role: 'both' }, 'ERR_INVALID_ARG_VALUE', 'options.role'],
    [{ role: 'client', acceptBacklog: 0 }, 'ERR_OUT_OF_RANGE', 'options.acceptBacklog'],
    [{ role: 'client', maxStreams: 0 }, 'ERR_OUT_OF_RANGE', 'options.maxStreams'],
    [{ role: 'client', maxStreams: '9' }, 'ERR_INVALID_ARG_TYPE', 'options.maxStreams'],
    [{ role: 'client', streamWindowSize: 1_000 }, 'ERR_OUT_OF_RANGE', 'options.streamWindowSize'],
    [
      { role: 'client', maxStreamWindowSize: 2 ** 33 },
      'ERR_OUT_OF_RANGE',
      'options.maxStreamWindowSize',
    ],
    [{ role: 'client', closeTimeout: '5s' }, 'ERR_INVALID_ARG_TYPE', 'options.closeTimeout'],
    [{ role: 'client', keepalive: 1 }, 'ERR_INVALID_ARG_TYPE', 'options.keepalive'],
    [
      { role: 'client', keepalive: { interval: -1 } },
      'ERR_OUT_OF_RANGE',
      'options.keepalive.interval',
    ],
    [{ role: 'client', allowHalfOpen: 1 }, 'ERR_INVALID_ARG_TYPE', 'options.allowHalfOpen'],
  ])('refuses the options %o with %s', (options, code, name) => {
    const transport = new PassThrough();
    expect(() => new YamuxSession(transport, options as YamuxSessionOptions)).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(name) as unknown }),
    );
    expect(transport.listenerCount('data')).toBe(0);
  });

  test('refuses what is no Duplex, what is closed, and what has a session', async () => {
    const strings = new PassThrough().setEncoding('utf8');
    expect(() => new YamuxSession(strings, { role: 'client' })).toThrow(INVALID_STATE);
    expect(() => new YamuxSession({} as Duplex, { role: 'client' })).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }),
    );
    const closed = new PassThrough().destroy();
    expect(() => new YamuxSession(closed, { role: 'client' })).toThrow(INVALID_STATE);
    const transport = new PassThrough();
    const session = new YamuxSession(transport, { role: 'client', closeTimeout: 10 });
    expect(() => new YamuxSession(transport, { role: 'server' })).toThrow(INVALID_STATE);
    await session.close();
  });
});

test('a session resumes a transport that was left paused', async () => {
  const transport = await tcpPair();
  onTestFinished(() => transport.stop());
  transport.b.pause();
  const sessions = await sessionPair({}, {}, () => Promise.resolve(transport));
  onTestFinished(() => sessions.stop());
  expect(await sessions.a.ping()).toBeGreaterThan(0);
});

describe('taking turns', () => {
  test('a stream that is not read does not hold up another', async () => {
    const { a, b } = await pair({}, overAdapter);
    const stuck = await openStream(a, b);
    stuck.a.write(Buffer.alloc(8 * MIB));
    const other = await openStream(a, b);
    const bytes = bytesOf(1, 4 * MIB);
    other.a.end(bytes);
    expect(sha256(await readAll(other.b))).toBe(sha256(bytes));
    expect(stuck.b.bytesRead).toBe(INITIAL_WINDOW);
  });

  test('streams send a frame of at most 64 KiB each in turn', async () => {
    const { session, peer } = await rawSession();
    const streams = [session.open(), session.open(), session.open()];
    for (const stream of streams) stream.write(Buffer.alloc(INITIAL_WINDOW));
    await vi.waitUntil(
      () => peer.frames.filter(({ type }) => type === FrameType.data).length >= 12,
    );
    const sent = peer.frames.filter(({ type }) => type === FrameType.data);
    const order = sent.slice(0, 12).map(({ streamId }) => streamId);
    expect(order).toEqual([2, 4, 6, 2, 4, 6, 2, 4, 6, 2, 4, 6]);
    expect(Math.max(...sent.map(({ length }) => length))).toBeLessThanOrEqual(65_536);
    for (const stream of streams) stream.destroy();
  });

  test('a ping is answered ahead of the data that waits', async () => {
    const { session, peer } = await rawSession();
    const streams = Array.from({ length: 10 }, () => session.open());
    for (const stream of streams) stream.write(Buffer.alloc(INITIAL_WINDOW));
    peer.transport.pause();
    await turns(10);
    peer.send(frame(FrameType.ping, 1, 0, 5));
    await turns(10);
    peer.transport.resume();
    const answer = await peer.frame(({ type, flags }) => type === FrameType.ping && flags === 2);
    const before = peer.frames.slice(0, peer.frames.indexOf(answer));
    expect(before.filter(({ type }) => type === FrameType.data).length).toBeLessThanOrEqual(10);
    for (const stream of streams) stream.destroy();
  });

  test('small writes of one turn leave as one frame', async () => {
    const { session, peer } = await rawSession();
    const stream = session.open();
    for (let i = 0; i < 1_000; i++) stream.write('x');
    await peer.frame(({ type }) => type === FrameType.data);
    await peer.settled();
    const sent = peer.frames.filter(({ type }) => type === FrameType.data);
    expect(sent.map(({ length }) => length)).toEqual([1_000]);
  });
});

describe('going away', () => {
  test('lets open streams go on, and opens none', async () => {
    const { a, b } = await pair();
    const stream = await openStream(a, b);
    const gone = next(b, 'goaway');
    a.goAway();
    a.goAway();
    expect(await gone).toEqual([0]);
    expect(() => a.open()).toThrow(INVALID_STATE);
    expect(() => b.open()).toThrow(INVALID_STATE);
    stream.a.end('still here');
    expect(String(await readAll(stream.b))).toBe('still here');
  });
});

describe('ping()', () => {
  test('gives the round trip, many at a time', async () => {
    const { a } = await pair();
    const all = await Promise.all(Array.from({ length: 100 }, () => a.ping()));
    expect(all.every((ms) => ms > 0)).toBe(true);
  });

  test('is rejected when the session ends, and after', async () => {
    const session = new YamuxSession(hanging(), { role: 'client', closeTimeout: 20 });
    const answer = expect(session.ping()).rejects.toThrow(INVALID_STATE);
    await session.close();
    await answer;
    await expect(session.ping()).rejects.toThrow(INVALID_STATE);
  });
});

describe.each([
  ['in memory', memoryPair],
  ['over TCP', overTcp],
  ['over the adapter', overAdapter],
])('close() %s', (_name, makeTransport) => {
  test('sends what was written, ends every stream, and gives null', async () => {
    const { a, b, transport } = await pair({}, makeTransport);
    const streams: Pair<YamuxStream>[] = [];
    while (streams.length < 20) streams.push(await openStream(a, b));
    const bytes = bytesOf(1, 100_000);
    const received = streams.map((stream) => readAll(stream.b));
    const recordings = streams.map((stream) => record(stream.a));
    for (const stream of streams) stream.a.write(bytes);
    const closing = a.close();
    expect(a.close()).toBe(closing);
    expect(() => a.open()).toThrow(INVALID_STATE);
    expect(await closing).toBeNull();
    for (const whole of await Promise.all(received)) expect(sha256(whole)).toBe(sha256(bytes));
    for (const recording of recordings) {
      await recording.closed;
      expect(recording.hadError).toBe(false);
    }
    expect(await b.close()).toBeNull();
    expect([a.numStreams, b.numStreams]).toEqual([0, 0]);
    expect([transport.a.destroyed, transport.b.destroyed]).toEqual([true, true]);
  });

  test('by both at once gives null to both', async () => {
    const { a, b } = await pair({}, makeTransport);
    await openStream(a, b);
    expect(await Promise.all([a.close(), b.close()])).toEqual([null, null]);
  });
});

describe('close()', () => {
  test('returns in its limit when the transport hangs, with ETIMEDOUT', async () => {
    const transport = hanging();
    const session = new YamuxSession(transport, { role: 'client', closeTimeout: 50 });
    const stream = session.open();
    stream.write(Buffer.alloc(MIB));
    const failed = next(stream, 'error');
    const before = performance.now();
    expect(await session.close()).toMatchObject({ code: 'ETIMEDOUT' });
    expect(performance.now() - before).toBeLessThan(1_000);
    expect((await failed)[0]).toMatchObject({ code: 'ETIMEDOUT' });
    for (const event of ['data', 'end', 'close', 'drain'])
      expect(transport.listenerCount(event)).toBe(0);
  });

  test('returns in its limit when not even destroy() is answered', async () => {
    const transport = hanging({ destroy: () => undefined });
    const session = new YamuxSession(transport, { role: 'client', closeTimeout: 50 });
    expect(await session.close()).toMatchObject({ code: 'ETIMEDOUT' });
  });

  test('gives the first error to whoever asks later', async () => {
    const { a, b, transport } = await pair({ closeTimeout: 50 });
    const error = new Error('cut');
    a.on('error', () => undefined);
    b.on('error', () => undefined);
    transport.a.destroy(error);
    await next(a, 'close');
    expect(await a.close()).toBe(error);
    expect(await a.close()).toBe(error);
  });

  test('is called at the end of an await using block', async () => {
    const { a } = await pair();
    await a[Symbol.asyncDispose]();
    expect(a.closed).toBe(true);
  });
});

describe('the end of the transport', () => {
  test('in order, with no stream open, ends the session without an error', async () => {
    const { b, transport } = await pair();
    const closed = next(b, 'close');
    transport.a.end();
    await closed;
    expect(await b.close()).toBeNull();
  });

  test('under open streams is ECONNRESET for them and the session, a full window or not', async () => {
    const { a, b, transport } = await pair();
    const full = await openStream(a, b);
    full.a.write(Buffer.alloc(MIB));
    await turns(10);
    const [streamFailed, sessionFailed] = [next(full.a, 'error'), next(a, 'error')];
    full.b.on('error', () => undefined);
    b.on('error', () => undefined);
    transport.b.destroy();
    transport.a.destroy();
    expect((await streamFailed)[0]).toMatchObject({ code: 'ECONNRESET' });
    expect((await sessionFailed)[0]).toMatchObject({ code: 'ECONNRESET' });
    await closeOf(full.a);
  });

  test('leaves what has come whole to be read to its end', async () => {
    const { a, b } = await pair();
    const stream = await openStream(a, b);
    stream.a.end('all of it');
    await a.ping();
    await a.close();
    expect(String(await readAll(stream.b))).toBe('all of it');
  });
});
