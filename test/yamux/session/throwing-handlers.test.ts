import { describe, expect, onTestFinished, test } from 'vitest';

import { bytesOf, sha256 } from '../../../src/conformance/frame/bytes.ts';
import type { YamuxStream } from '../../../src/yamux/index.ts';
import { Flag, FrameType } from '../../../src/yamux/wire/frame.ts';
import { record } from '../../support/events.ts';
import { readAll, readExactly } from '../../support/reading.ts';
import { collectUncaught } from '../../support/uncaught.ts';
import { openStream, overTcp, sessionPair } from '../pairs.ts';
import { frame, rawSession } from '../raw-peer.ts';

const { data, goAway, windowUpdate } = FrameType;
const { ack, fin, syn } = Flag;
const thrown = new Error('thrown by a handler');
const BODY = Buffer.from('hello');

function throwIt(): never {
  throw thrown;
}

/** Frames that open a stream, fill it and end it, to go out in one chunk with those of others. */
function whole(id: number): Buffer {
  return Buffer.concat([frame(windowUpdate, syn, id, 0), frame(data, fin, id, BODY.length, BODY)]);
}

describe('an error that a handler throws goes to the process, and nobody else loses a byte', () => {
  test.each(['data', 'end'])("from '%s' of a stream", async (event) => {
    const uncaught = collectUncaught();
    const { session, peer } = await rawSession();
    const texts: Promise<Buffer>[] = [];
    session.on('stream', (stream) => {
      if (stream.id === 1) record(stream.on(event, throwIt).resume());
      else texts.push(readAll(stream));
    });
    // They flow before the bytes come, so that the handler runs as the frame is read.
    const ids = [1, 3, 5];
    peer.send(...ids.map((id) => frame(windowUpdate, syn, id, 0)));
    await peer.settled();
    peer.send(...ids.map((id) => frame(data, fin, id, BODY.length, BODY)));
    await peer.settled();
    expect((await Promise.all(texts)).map(String)).toEqual(['hello', 'hello']);
    expect(uncaught).toEqual([thrown]);
  });

  test("from 'stream'", async () => {
    const uncaught = collectUncaught();
    const { session, peer } = await rawSession();
    const streams: YamuxStream[] = [];
    session.on('stream', (stream) => {
      streams.push(stream);
      if (stream.id === 1) throwIt();
    });
    peer.send(whole(1), whole(3), whole(5));
    await peer.settled();
    expect((await Promise.all(streams.map((stream) => readAll(stream)))).map(String)).toEqual(
      Array<string>(3).fill('hello'),
    );
    expect(uncaught).toEqual([thrown]);
  });

  test("from 'stream' for streams that have waited", async () => {
    const uncaught = collectUncaught();
    const { session, peer } = await rawSession();
    peer.send(whole(1), whole(3), whole(5));
    await peer.settled();
    const ids: number[] = [];
    session.on('stream', (stream) => {
      ids.push(stream.id);
      stream.resume();
      if (stream.id === 1) throwIt();
    });
    await peer.settled();
    expect(ids).toEqual([1, 3, 5]);
    expect(uncaught).toEqual([thrown]);
  });

  test("from 'goaway'", async () => {
    const uncaught = collectUncaught();
    const { session, peer } = await rawSession();
    session.on('goaway', throwIt);
    const streams: YamuxStream[] = [];
    session.on('stream', (stream) => streams.push(stream));
    peer.send(frame(goAway, 0, 0, 0), whole(1));
    await peer.settled();
    expect(String(await readAll(streams[0] as YamuxStream))).toBe('hello');
    expect(uncaught).toEqual([thrown]);
  });

  test("from 'connect' of a stream", async () => {
    const uncaught = collectUncaught();
    const { session, peer } = await rawSession({ role: 'client' });
    const [first, second] = [session.open(), session.open()];
    record(first.on('connect', throwIt));
    await peer.frame(({ streamId }) => streamId === second.id);
    peer.send(
      frame(windowUpdate, ack, first.id, 0),
      frame(data, ack | fin, second.id, BODY.length, BODY),
    );
    expect(String(await readAll(second))).toBe('hello');
    expect(uncaught).toEqual([thrown]);
    first.destroy();
  });

  test.each(['a write callback', "'drain'", "'finish'"])('from %s', async (where) => {
    const uncaught = collectUncaught();
    const sessions = await sessionPair({}, {}, overTcp);
    onTestFinished(() => sessions.stop());
    const first = await openStream(sessions.a, sessions.b);
    const second = await openStream(sessions.a, sessions.b);
    const [sentFirst, sentSecond] = [bytesOf(1, 300_000), bytesOf(2, 300_000)];
    const received = [readExactly(first.b, sentFirst.length), readAll(second.b)];
    if (where === "'drain'") first.a.once('drain', throwIt);
    if (where === "'finish'") first.a.once('finish', throwIt);
    first.a.write(sentFirst, where === 'a write callback' ? throwIt : undefined);
    second.a.end(sentSecond);
    if (where === "'finish'") first.a.end();
    expect((await Promise.all(received)).map(sha256)).toEqual([sentFirst, sentSecond].map(sha256));
    // Node does not let a Writable finish whose callback has thrown, no net.Socket either.
    await first.stop();
    expect(uncaught).toEqual([thrown]);
    expect(sessions.a.closed || sessions.b.closed).toBe(false);
  });
});
