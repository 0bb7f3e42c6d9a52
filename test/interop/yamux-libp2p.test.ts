import type { Stream, StreamMessageEvent } from '@libp2p/interface';
import { describe, expect, onTestFinished, test } from 'vitest';

import { bytesOf, sha256 } from '../../src/conformance/frame/bytes.ts';
import { YamuxSession, type YamuxStream } from '../../src/yamux/index.ts';
import { next } from '../support/events.ts';
import { adapterPair } from '../support/pairs/pairs.ts';
import { readAll } from '../support/reading.ts';
import { libp2pMuxer, type Libp2pMuxer } from './libp2p-peer.ts';

const MIB = 1024 * 1024;

/** Connects a session of the role with a muxer of the other, over a WebSocket. */
async function connected(
  role: 'client' | 'server',
): Promise<{ readonly session: YamuxSession; readonly muxer: Libp2pMuxer }> {
  const transport = await adapterPair();
  const session = new YamuxSession(transport.a, { role });
  const muxer = libp2pMuxer(transport.b, role === 'client' ? 'inbound' : 'outbound');
  onTestFinished(async () => {
    await session.close();
    await transport.stop();
  });
  return { session, muxer };
}

function bytesFrom(event: StreamMessageEvent): Buffer {
  return Buffer.from(event.data.subarray());
}

/** Sends everything back, and ends after the peer. */
function echo(stream: Stream): void {
  stream.addEventListener('message', (event) => {
    stream.send(bytesFrom(event));
  });
  stream.addEventListener('remoteCloseWrite', () => {
    void stream.close();
  });
}

function accepted(muxer: Libp2pMuxer): Promise<Stream> {
  return new Promise((resolve) => {
    muxer.addEventListener('stream', (event) => {
      resolve(event.detail);
    });
  });
}

describe.each(['client', 'server'] as const)('@libp2p/yamux, with this side as the %s', (role) => {
  test('gives back what 100 streams carry', async () => {
    const { session, muxer } = await connected(role);
    muxer.addEventListener('stream', (event) => {
      echo(event.detail);
    });
    const answers = Array.from({ length: 100 }, (_, i) => {
      const stream = session.open({ allowHalfOpen: true });
      stream.end(`stream ${String(i)}`);
      return readAll(stream).then(String);
    });
    expect(await Promise.all(answers)).toEqual(
      Array.from({ length: 100 }, (_, i) => `stream ${String(i)}`),
    );
  });

  test('takes 8 MiB whole', async () => {
    const { session, muxer } = await connected(role);
    const bytes = bytesOf(1, 8 * MIB);
    const atPeer = accepted(muxer);
    session.open({ allowHalfOpen: true }).end(bytes);
    const parts: Uint8Array[] = [];
    for await (const part of await atPeer) parts.push(part.subarray());
    expect(sha256(parts)).toBe(sha256(bytes));
  });

  test('sends 8 MiB whole on a stream that it opens', async () => {
    const { session, muxer } = await connected(role);
    const bytes = bytesOf(2, 8 * MIB);
    const opened = next(session, 'stream');
    const theirs = await muxer.createStream();
    const [ours] = (await opened) as [YamuxStream];
    const received = readAll(ours);
    for (let at = 0; at < bytes.length; at += 65_536) {
      if (!theirs.send(bytes.subarray(at, at + 65_536))) await theirs.onDrain();
    }
    await theirs.close();
    expect(sha256(await received)).toBe(sha256(bytes));
  });

  test('resets a stream, and sees ours reset', async () => {
    const { session, muxer } = await connected(role);
    const firstAtPeer = accepted(muxer);
    const ours = session.open();
    const failed = next(ours, 'error');
    (await firstAtPeer).abort(new Error('no more'));
    expect((await failed)[0]).toMatchObject({ code: 'ECONNRESET' });

    const opened = next(session, 'stream');
    const theirs = await muxer.createStream();
    const closed = new Promise<unknown>((resolve) => {
      theirs.addEventListener('close', resolve);
    });
    ((await opened) as [YamuxStream])[0].resetAndDestroy();
    await closed;
    expect(theirs.status).toBe('reset');
  });

  test('answers our ping, and gets an answer to its own', async () => {
    const { session, muxer } = await connected(role);
    expect(await session.ping()).toBeGreaterThan(0);
    expect(await (muxer as unknown as { ping(): Promise<number> }).ping()).toBeGreaterThanOrEqual(
      0,
    );
  });
});
