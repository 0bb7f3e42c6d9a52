import { describe, expect, test } from 'vitest';

import { YamuxSession, type YamuxStream } from '../../../src/yamux/index.ts';
import { Flag, FrameType } from '../../../src/yamux/wire/frame.ts';
import { next, turns } from '../../support/events.ts';
import { HeldTransport } from '../held-transport.ts';
import { frame, rawSession } from '../raw-peer.ts';
import { codeOf, watched } from './watched.ts';

const { data, goAway, windowUpdate } = FrameType;
const { fin, syn } = Flag;

describe('a session that was closed', () => {
  test('fails with its streams when the transport breaks off before it has taken what was written', async () => {
    const { session, stream, transport, events } = await watched();
    stream.write('answer');
    const closing = session.close();
    await turns(10);
    const error = new Error('cut');
    transport.destroy(error);
    expect(await closing).toBe(error);
    expect(events.filter((event) => event !== 'stream end')).toEqual([
      'session error cut',
      'stream error EPIPE',
      'stream close true',
      'session close',
    ]);
    expect(await stream.close()).toMatchObject({ code: 'EPIPE' });
  });

  test('without streams, whose GoAway the transport has not taken, emits the error that close() gives', async () => {
    const transport = new HeldTransport();
    const session = new YamuxSession(transport, { role: 'client' });
    const events: string[] = [];
    session.on('error', (error) => events.push(codeOf(error)));
    session.on('close', () => events.push('close'));
    const closing = session.close();
    await turns(5);
    const error = new Error('cut');
    transport.destroy(error);
    expect(await closing).toBe(error);
    expect(events).toEqual(['cut', 'close']);
  });

  test('says GoAway behind the last byte and FIN of its streams, also to a transport that has enough', async () => {
    const { session, peer } = await rawSession();
    const opened = next(session, 'stream');
    peer.send(frame(windowUpdate, syn, 1, 0));
    const [stream] = (await opened) as [YamuxStream];
    peer.transport.pause();
    stream.write(Buffer.alloc(200_000));
    const closing = session.close();
    await turns(5);
    peer.transport.resume();
    await peer.frame(({ type }) => type === goAway);
    peer.transport.end();
    expect(await closing).toBeNull();
    const last = peer.frames.slice(-2).map(({ type, flags }) => [type, flags]);
    expect(last).toEqual([
      [windowUpdate, fin],
      [goAway, 0],
    ]);
    expect(
      peer.frames.reduce((sum, { type, length }) => sum + (type === data ? length : 0), 0),
    ).toBe(200_000);
  });

  test('says GoAway only when the peer has ended its streams too', async () => {
    const { session, peer } = await rawSession({ closeTimeout: 10_000 });
    const opened = next(session, 'stream');
    peer.send(frame(windowUpdate, syn, 1, 0));
    await opened;
    const closing = session.close();
    await peer.frame(({ flags }) => flags === fin);
    await peer.settled();
    expect(peer.frames.some(({ type }) => type === goAway)).toBe(false);
    peer.send(frame(windowUpdate, fin, 1, 0));
    await peer.frame(({ type }) => type === goAway);
    expect(await closing).toBeNull();
  });

  test('does not wait for a peer that never ends its streams, and has no error', async () => {
    const { session, peer } = await rawSession({ closeTimeout: 100 });
    const opened = next(session, 'stream');
    peer.send(frame(windowUpdate, syn, 1, 0));
    await opened;
    expect(await session.close()).toBeNull();
    expect(peer.frames.at(-1)).toMatchObject({ type: goAway, length: 0 });
  });

  test('sends its GoAway when the transport was full at that moment', async () => {
    const transport = new HeldTransport();
    const session = new YamuxSession(transport, { role: 'client', keepalive: false });
    transport.write(Buffer.alloc(12 * 10_000));
    expect(transport.writableNeedDrain).toBe(true);
    const closing = session.close();
    await turns(2);
    transport.takeAll();
    transport.push(null);
    expect(await closing).toBeNull();
    expect(transport.frames.at(-1)).toMatchObject({ type: goAway });
  });
});
