import { describe, expect, onTestFinished, test, vi } from 'vitest';

import { YamuxSession, type YamuxStream } from '../../../src/yamux/index.ts';
import { Flag, FrameType } from '../../../src/yamux/wire/frame.ts';
import { next, record, turns } from '../../support/events.ts';
import { readAll } from '../../support/reading.ts';
import { HeldTransport } from '../held-transport.ts';
import { openStream, sessionPair } from '../pairs.ts';
import { frame } from '../raw-peer.ts';
import { codeOf, watched } from './watched.ts';

const { data } = FrameType;
const { fin, syn } = Flag;

describe('a stream that has ended in order', () => {
  test('is finished only when the transport has taken its FIN', async () => {
    const { session, stream, transport, events } = await watched();
    stream.end('answer');
    await turns(10);
    expect(transport.frames.some(({ flags }) => (flags & fin) !== 0)).toBe(false);
    expect(events).toEqual(['stream end']);
    transport.takeAll();
    await next(stream, 'close');
    expect(events).toEqual(['stream end', 'stream finish', 'stream close false']);
    expect(session.numStreams).toBe(0);
  });

  test('ends clean when the transport takes its last bytes after the session has ended', async () => {
    const { session, stream, transport, events } = await watched();
    stream.end('answer');
    await turns(10);
    transport.push(null);
    await turns(10);
    expect([session.destroyed, session.closed]).toEqual([true, false]);
    expect(events).toEqual(['stream end']);
    const closed = next(session, 'close');
    transport.takeAll();
    await closed;
    expect(session.closed).toBe(true);
    expect(events).toEqual(['stream end', 'stream finish', 'stream close false', 'session close']);
    expect([await stream.close(), stream.errored, await session.close()]).toEqual([
      null,
      null,
      null,
    ]);
  });

  test.each([
    ['with an error', new Error('cut'), 'cut'],
    ['without one', undefined, 'ECONNRESET'],
  ])(
    'fails when the transport breaks off before it has taken them, %s: first the session, then the stream',
    async (_how, error, code) => {
      const { session, stream, transport, events, recording } = await watched();
      stream.end('answer');
      await turns(10);
      transport.push(null);
      await turns(10);
      transport.destroy(error);
      await next(session, 'close');
      await turns(5);
      expect(events).toEqual([
        'stream end',
        `session error ${code}`,
        'stream error EPIPE',
        'stream close true',
        'session close',
      ]);
      const failed = await session.close();
      expect(codeOf(failed)).toBe(code);
      expect(recording.errors[0]).toMatchObject({ code: 'EPIPE', cause: failed });
      expect(await stream.close()).toBe(stream.errored);
      expect(stream.errored).toBe(recording.errors[0]);
    },
  );

  test('has all the time that it needs, as over TCP, until somebody calls close()', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => {
      vi.useRealTimers();
    });
    const { session, stream, transport, events } = await watched({ keepalive: false });
    stream.end('answer');
    await turns(10);
    transport.push(null);
    await turns(10);
    vi.advanceTimersByTime(3_600_000);
    await turns(10);
    expect(events).toEqual(['stream end']);
    const closing = session.close();
    vi.advanceTimersByTime(5_000);
    expect(await closing).toMatchObject({ code: 'ETIMEDOUT' });
    expect(events).toEqual([
      'stream end',
      'session error ETIMEDOUT',
      'stream error EPIPE',
      'stream close true',
      'session close',
    ]);
  });

  test('is not whole because of its own close() either', async () => {
    const { stream, transport, recording } = await watched();
    stream.write('answer');
    await turns(10);
    transport.push(null);
    await turns(10);
    const closing = stream.close();
    await turns(10);
    expect(recording.names).toEqual(['end']);
    transport.destroy(new Error('cut'));
    expect(await closing).toMatchObject({ code: 'EPIPE' });
    expect(recording.names).toEqual(['end', 'error', 'close']);
  });

  test('lets a loop over the session end with the error that came up last', async () => {
    const transport = new HeldTransport();
    const session = new YamuxSession(transport, { role: 'server', allowHalfOpen: true });
    const taken: YamuxStream[] = [];
    const loop = (async () => {
      for await (const stream of session) taken.push(stream.on('error', () => undefined));
    })();
    const failed = expect(loop).rejects.toThrow('cut');
    transport.push(frame(data, syn | fin, 1, 5, Buffer.from('asked')));
    await turns(10);
    taken[0]?.end('answer');
    await turns(10);
    transport.push(null);
    await turns(10);
    // Nobody but the loop listens for it.
    transport.destroy(new Error('cut'));
    await failed;
  });

  test('fails also where its user ends it when the session has ended, and where it is never ended', async () => {
    for (const ends of [true, false]) {
      const { session, stream, transport, recording } = await watched();
      stream.write('answer');
      await turns(10);
      transport.push(null);
      await turns(10);
      if (ends) stream.end();
      await turns(10);
      expect(recording.names).toEqual(['end']);
      transport.destroy(new Error('cut'));
      await next(session, 'close');
      expect(recording.errors).toMatchObject([{ code: 'EPIPE' }]);
      expect(recording.hadError).toBe(true);
    }
  });
});

test.each([
  ['fails with EPIPE', false, 'EPIPE', ['error', 'close']],
  ['and destroyed in that turn has no error anywhere', true, null, ['close']],
] as const)(
  'a stream that is written to after the end of its session %s',
  async (_how, destroys, code, names) => {
    const sessions = await sessionPair({ allowHalfOpen: true });
    onTestFinished(() => sessions.stop());
    const { a, b } = await openStream(sessions.a, sessions.b, { allowHalfOpen: true });
    a.end('x');
    await sessions.a.ping();
    const closed = next(sessions.b, 'close');
    await sessions.a.close();
    await closed;
    const atB = record(b);
    const told: (Error | null | undefined)[] = [];
    b.write('anybody?', (error) => told.push(error));
    if (destroys) b.destroy();
    await atB.closed;
    await turns(5);
    expect(atB.names).toEqual(names);
    const [error = null] = atB.errors;
    expect(error?.code ?? null).toBe(code);
    expect([b.errored, await b.close()]).toEqual([error, error]);
    // Whoever wrote hears that it is lost, also where the stream has no error.
    expect(told).toEqual([error ?? expect.objectContaining({ code: 'ERR_STREAM_DESTROYED' })]);
  },
);

test("a stream whose peer has ended it stays readable after its session's 'close'", async () => {
  const sessions = await sessionPair({ allowHalfOpen: true });
  onTestFinished(() => sessions.stop());
  const { a, b } = await openStream(sessions.a, sessions.b, { allowHalfOpen: true });
  a.end(Buffer.alloc(200_000, 'x'));
  await sessions.a.ping();
  const closed = next(sessions.b, 'close');
  await sessions.a.close();
  await closed;
  expect(b.readyState).toBe('open');
  const atB = record(b);
  expect(await readAll(b)).toHaveLength(200_000);
  // Nobody can hear it any more, but nothing that was promised is lost.
  b.end();
  await atB.closed;
  expect(atB.names).toEqual(['end', 'finish', 'close']);
  expect(atB.hadError).toBe(false);
});
