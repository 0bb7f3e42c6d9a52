import net, { type AddressInfo } from 'node:net';

import { describe, expect, onTestFinished, test, vi } from 'vitest';

import { bytesOf, sha256 } from '../../../src/conformance/frame/bytes.ts';
import { YamuxSession, type YamuxStream } from '../../../src/yamux/index.ts';
import { FrameType } from '../../../src/yamux/wire/frame.ts';
import { next, record } from '../../support/events.ts';
import { type Link } from '../../support/links/link.ts';
import { startLink } from '../../support/links/start-link.ts';
import { readAll } from '../../support/reading.ts';
import { hanging } from '../hanging.ts';
import { frame, rawSession } from '../raw-peer.ts';

const KB = 1_000;
const IMPATIENT = { interval: 100, pongTimeout: 200 };

/** Lays a link of 200 kB/s between two sessions, of which the near one has a keepalive. */
async function sessionsOverLink(): Promise<{ link: Link; near: YamuxSession; far: YamuxSession }> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await next(server, 'listening');
  onTestFinished(() => {
    server.close();
  });
  const link = await startLink((server.address() as AddressInfo).port, { rate: 200 * KB });
  const accepted = next(server, 'connection');
  const socket = net.connect(link.port, '127.0.0.1');
  const peer = (await accepted)[0] as net.Socket;
  const near = new YamuxSession(socket, { role: 'client', keepalive: IMPATIENT });
  const far = new YamuxSession(peer, { role: 'server', keepalive: false });
  onTestFinished(() => {
    socket.destroy();
    peer.destroy();
  });
  far.on('error', () => undefined);
  far.on('stream', (stream) => stream.on('error', () => undefined));
  return { link, near, far };
}

describe('the keepalive of a session on a slow uplink whose kernels take all at once', () => {
  test('gives an upload the time that it needs', async () => {
    const { near, far } = await sessionsOverLink();
    const errors: Error[] = [];
    near.on('error', (error) => errors.push(error));
    const bytes = bytesOf(1, 600 * KB);
    const stream = near.open();
    const recording = record(stream.resume().end(bytes));
    const [other] = (await next(far, 'stream')) as [YamuxStream];
    other.end();
    expect(sha256(await readAll(other))).toBe(sha256(bytes));
    await recording.closed;
    expect([errors, recording.errors]).toEqual([[], []]);
  });

  test('finds a peer that dies in the middle, after the time that 64 KiB may take', async () => {
    const { link, near, far } = await sessionsOverLink();
    const failed = next(near, 'error');
    const closed = next(near, 'close');
    record(near.open().end(Buffer.alloc(600 * KB)));
    await next(far, 'stream');
    link.stall('both');
    expect((await failed)[0]).toMatchObject({ code: 'ETIMEDOUT' });
    await closed;
  });
});

test('the keepalive of a session asks anew in each interval, with a number that ping() does not use', async () => {
  const { session, peer } = await rawSession({ keepalive: { interval: 20, pongTimeout: 10_000 } });
  const answered = session.ping();
  const asked = new Set<number>();
  while (asked.size < 3) {
    const ping = await peer.frame(
      ({ type, length }) => type === FrameType.ping && length >= 2 ** 31 && !asked.has(length),
    );
    asked.add(ping.length);
    peer.send(frame(FrameType.ping, 2, 0, ping.length));
  }
  const own = await peer.frame(({ type, length }) => type === FrameType.ping && length < 2 ** 31);
  peer.send(frame(FrameType.ping, 2, 0, own.length));
  expect(await answered).toBeGreaterThanOrEqual(0);
});

describe('a peer that is silent', () => {
  test('pings a silent peer, and takes any byte for life', async () => {
    const { session, peer } = await rawSession({ keepalive: { interval: 20, pongTimeout: 60 } });
    for (let i = 0; i < 3; i++) {
      const before = peer.frames.length;
      await vi.waitUntil(() =>
        peer.frames.slice(before).some(({ type }) => type === FrameType.ping),
      );
      // Not the answer, but a byte.
      peer.send(frame(FrameType.windowUpdate, 0, 9, 0));
    }
    expect(session.destroyed).toBe(false);
  });

  test('ends a session whose peer is gone with ETIMEDOUT, and its streams', async () => {
    const { session } = await rawSession({ keepalive: { interval: 10, pongTimeout: 20 } });
    const stream = session.open();
    const [failed, closed] = [next(stream, 'error'), next(session, 'close')];
    expect((await next(session, 'error'))[0]).toMatchObject({ code: 'ETIMEDOUT' });
    expect((await failed)[0]).toMatchObject({ code: 'ETIMEDOUT' });
    await closed;
  });

  test('ends a session whose transport takes nothing', async () => {
    const session = new YamuxSession(hanging(), {
      role: 'client',
      keepalive: { interval: 10, pongTimeout: 20 },
    });
    const closed = next(session, 'close');
    expect((await next(session, 'error'))[0]).toMatchObject({ code: 'ETIMEDOUT' });
    await closed;
  });
});
