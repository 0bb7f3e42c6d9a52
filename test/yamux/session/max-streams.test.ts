import { expect, onTestFinished, test } from 'vitest';

import { Flag, FrameType } from '../../../src/yamux/wire/frame.ts';
import { closeOf, next } from '../../support/events.ts';
import { sessionPair } from '../pairs.ts';
import { frame, rawSession } from '../raw-peer.ts';

const { windowUpdate } = FrameType;
const { syn, rst } = Flag;

const open = (id: number): Buffer => frame(windowUpdate, syn, id, 0);

test('a peer gets RST past maxStreams', async () => {
  const { session, peer } = await rawSession({ maxStreams: 3 });
  session.on('stream', (stream) => stream.on('error', () => undefined));
  for (let id = 1; id <= 11; id += 2) peer.send(open(id));
  await peer.settled();
  expect(session.numStreams).toBe(3);
  expect(peer.frames.filter(({ flags }) => flags === rst)).toHaveLength(3);
});

test('a peer gets RST past 1024 streams, unless told otherwise', async () => {
  const { session, peer } = await rawSession();
  session.on('stream', (stream) => stream.on('error', () => undefined));
  for (let id = 1; id <= 2_059; id += 2) peer.send(open(id));
  await peer.settled();
  expect(session.numStreams).toBe(1_024);
  const resets = (): number => peer.frames.filter(({ flags }) => flags === rst).length;
  expect(resets()).toBe(6);
  // One that has ended makes room for one more.
  peer.send(frame(windowUpdate, rst, 1, 0), open(2_061), open(2_063));
  await peer.settled();
  expect(session.numStreams).toBe(1_024);
  expect(resets()).toBe(7);
  expect(session.destroyed).toBe(false);
});

test('a peer opens any number of streams with maxStreams Infinity', async () => {
  const { session, peer } = await rawSession({ maxStreams: Infinity });
  session.on('stream', (stream) => stream.on('error', () => undefined));
  for (let id = 1; id <= 2_399; id += 2) peer.send(open(id));
  await peer.settled();
  expect(session.numStreams).toBe(1_200);
});

test('who opens a stream that is one too many is told so, and may open another later', async () => {
  const sessions = await sessionPair({ maxStreams: 1 }, { maxStreams: 1 });
  onTestFinished(() => sessions.stop());
  const { a, b } = sessions;
  b.on('stream', (stream) => stream.resume());
  const first = a.open();
  await next(first, 'connect');
  const [error] = await next(a.open(), 'error');
  expect(error).toMatchObject({ code: 'ECONNRESET' });
  expect((error as Error).message).toMatch(/takes no more at a time \(maxStreams/);
  first.destroy();
  await closeOf(first);
  await a.ping();
  await next(a.open(), 'connect');
  expect(b.numStreams).toBe(1);
});
