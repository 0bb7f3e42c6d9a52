import { describe, expect, test } from 'vitest';

import type { YamuxStream } from '../../../src/yamux/index.ts';
import { Flag, FrameType, INITIAL_WINDOW } from '../../../src/yamux/wire/frame.ts';
import { next, record, turns } from '../../support/events.ts';
import { frame, type RawPeer, rawSession } from '../raw-peer.ts';

const { data, windowUpdate } = FrameType;
const { fin, rst, syn } = Flag;

/** A stream that a raw peer has opened, with room to read into of `readableHighWaterMark` bytes. */
async function accepted(
  readableHighWaterMark = 65_536,
): Promise<{ readonly stream: YamuxStream; readonly peer: RawPeer }> {
  const { session, peer } = await rawSession({ allowHalfOpen: true, readableHighWaterMark });
  session.on('error', () => undefined);
  const opened = next(session, 'stream');
  peer.send(frame(windowUpdate, syn, 1, 0));
  return { stream: ((await opened) as [YamuxStream])[0], peer };
}

type Told = [string, string | null];

/** Writes more than the window takes, in three writes, and returns what their callbacks are told. */
function writeThree(stream: YamuxStream): Told[] {
  const told: Told[] = [];
  for (const [name, size] of [
    ['first', 2 * INITIAL_WINDOW],
    ['second', 10],
    ['third', 10],
  ] as const) {
    stream.write(Buffer.alloc(size), (error) => {
      told.push([
        name,
        (error as NodeJS.ErrnoException | null | undefined)?.code ?? error?.message ?? null,
      ]);
    });
  }
  return told;
}

describe('destroy() over unsent bytes', () => {
  test.each(['destroy', 'resetAndDestroy'] as const)(
    '%s() without an error has none, also after its close, as in net.Socket',
    async (method) => {
      const { stream } = await accepted();
      const recording = record(stream);
      const told = writeThree(stream);
      await turns(5);
      expect(told).toEqual([]);
      stream[method]();
      await recording.closed;
      expect(stream.errored).toBeNull();
      await turns(5);
      expect(stream.errored).toBeNull();
      expect(recording.names).toEqual(['close']);
      expect(recording.hadError).toBe(false);
      expect(await stream.close()).toBeNull();
      expect(told).toEqual([
        ['first', 'ERR_STREAM_DESTROYED'],
        ['second', 'ERR_STREAM_DESTROYED'],
        ['third', 'ERR_STREAM_DESTROYED'],
      ]);
    },
  );

  test('with an error gives that error to every write, once', async () => {
    const { stream } = await accepted();
    const recording = record(stream);
    const told = writeThree(stream);
    await turns(5);
    const error = new Error('enough');
    stream.destroy(error);
    await recording.closed;
    await turns(5);
    expect(told).toEqual([
      ['first', 'enough'],
      ['second', 'enough'],
      ['third', 'enough'],
    ]);
    expect(recording.names).toEqual(['error', 'close']);
    expect(recording.hadError).toBe(true);
    expect([stream.errored, await stream.close()]).toEqual([error, error]);
  });

  test('by the peer, or by the limit of close(), is the same error everywhere', async () => {
    for (const ending of ['peer', 'limit'] as const) {
      const { stream, peer } = await accepted();
      const recording = record(stream);
      const told = writeThree(stream);
      await turns(5);
      const code = ending === 'peer' ? 'ECONNRESET' : 'ETIMEDOUT';
      if (ending === 'peer') peer.send(frame(windowUpdate, rst, 1, 0));
      else void stream.close();
      await recording.closed;
      await turns(5);
      expect(told.map(([, error]) => error)).toEqual([code, code, code]);
      expect(recording.errors).toMatchObject([{ code }]);
      expect(stream.errored).toBe(recording.errors[0]);
      expect(await stream.close()).toBe(stream.errored);
    }
  });
});

describe("close() of a stream with unread bytes shows no 'end'", () => {
  test.each([
    ['the stream has asked for none of them', 1],
    ['some of them are in its read buffer', 65_536],
    ['all of them are in its read buffer', 10 * INITIAL_WINDOW],
  ])('%s', async (_name, readableHighWaterMark) => {
    const { stream, peer } = await accepted(readableHighWaterMark);
    const recording = record(stream);
    stream.read(0);
    peer.send(
      frame(data, 0, 1, 100_000, Buffer.alloc(100_000)),
      frame(data, 0, 1, 100_000, Buffer.alloc(100_000)),
    );
    peer.send(frame(windowUpdate, fin, 1, 0));
    await peer.settled();
    // With as much to send as holds close() up, the reader has its chance.
    stream.write(Buffer.alloc(2 * INITIAL_WINDOW));
    const closing = stream.close();
    let read = 0;
    stream.on('data', (chunk: Buffer) => (read += chunk.length));
    await turns(5);
    peer.send(frame(windowUpdate, 0, 1, 2 * INITIAL_WINDOW));
    expect(await closing).toBeNull();
    await turns(5);
    if (read < 200_000) expect(recording.names).toEqual(['finish', 'close']);
    expect(recording.count('close')).toBe(1);
    expect(recording.errors).toEqual([]);
  });

  test('also when the end comes after close()', async () => {
    const { stream, peer } = await accepted(1);
    const recording = record(stream);
    peer.send(frame(data, 0, 1, 10, Buffer.alloc(10)));
    await peer.settled();
    const closing = stream.close();
    stream.resume();
    peer.send(frame(data, fin, 1, 10, Buffer.alloc(10)));
    expect(await closing).toBeNull();
    expect(recording.names).toEqual(['finish', 'close']);
  });
});

test('a reset that carries an error code, as of go-yamux, resets the stream and not the session', async () => {
  const { stream, peer } = await accepted();
  const failed = next(stream, 'error');
  peer.send(frame(windowUpdate, rst, 1, 0xffff_ffff));
  expect((await failed)[0]).toMatchObject({ code: 'ECONNRESET' });
  await peer.settled();
});
