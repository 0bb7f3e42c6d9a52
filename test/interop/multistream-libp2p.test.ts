import type { Duplex } from 'node:stream';

import type { MessageStream, StreamMessageEvent } from '@libp2p/interface';
import { handle as libp2pHandle, select as libp2pSelect } from '@libp2p/multistream-select';
import { describe, expect, onTestFinished, test } from 'vitest';

import { handle, select } from '../../src/multistream/index.ts';
import { YamuxSession, type YamuxStream } from '../../src/yamux/index.ts';
import { CutStream } from '../multistream/cut-stream.ts';
import { HEADER, line } from '../multistream/raw-end.ts';
import { closeOf, next } from '../support/events.ts';
import { adapterPair } from '../support/pairs/pairs.ts';
import { readAll, readExactly } from '../support/reading.ts';
import { memoryPair } from '../yamux/pairs.ts';
import { libp2pConnection, libp2pMuxer } from './libp2p-peer.ts';

const NAMES = ['/ssh/open/1.0.0', '/ssh/close/1.0.0', '/http/proxy/1.0.0'];
const [OPEN = '', CLOSE = ''] = NAMES;
/** Bytes of all that either side says before the payload, and a little more. */
const BORDERS = HEADER.length + line(OPEN).length + line(CLOSE).length + 8;

type Direction = 'inbound' | 'outbound';

/**
 * Connects a stream of this side with a connection of libp2p, with a border of chunks behind that
 * byte of each direction. `theirs` is that of libp2p, the 'outbound' one if it proposes.
 */
async function connected(
  at: number,
  direction: Direction,
): Promise<{
  ours: Duplex;
  theirs: MessageStream;
}> {
  const pair = await memoryPair();
  const ours = new CutStream(pair.a, at);
  onTestFinished(async () => {
    ours.destroy();
    await closeOf(ours);
    await pair.stop();
  });
  return { ours, theirs: libp2pConnection(pair.b, direction) };
}

/** Answers as libp2p does; then says so, and sends back what comes. */
async function answer(theirs: MessageStream): Promise<string> {
  const protocol = await libp2pHandle(theirs, NAMES);
  theirs.addEventListener('message', (event) => {
    theirs.send(bytesFrom(event));
  });
  theirs.send(Buffer.from('agreed'));
  return protocol;
}

function bytesFrom(event: StreamMessageEvent): Buffer {
  return Buffer.from(event.data.subarray());
}

/** Resolves when so many bytes have come, with those. */
function received(theirs: MessageStream, length: number): Promise<string> {
  return new Promise((resolve) => {
    let all = '';
    theirs.addEventListener('message', (event) => {
      all += String(bytesFrom(event));
      if (all.length >= length) resolve(all);
    });
  });
}

describe('@libp2p/multistream-select, with this side proposing', () => {
  test('takes one protocol, at every border of chunks', async () => {
    for (let at = 0; at < BORDERS; at++) {
      const { ours, theirs } = await connected(at, 'inbound');
      const [taken, { stream }] = await Promise.all([answer(theirs), select(ours, CLOSE)]);
      expect(taken).toBe(CLOSE);
      stream.write('payload');
      expect(String(await readExactly(stream, 13))).toBe('agreedpayload');
    }
  });

  test('takes the second of several, at every border of chunks', async () => {
    for (let at = 0; at < BORDERS; at++) {
      const { ours, theirs } = await connected(at, 'inbound');
      const proposals = ['/none', OPEN, CLOSE];
      const [taken, { stream }] = await Promise.all([answer(theirs), select(ours, proposals)]);
      expect(taken).toBe(OPEN);
      stream.write('payload');
      expect(String(await readExactly(stream, 13))).toBe('agreedpayload');
    }
  });

  test('takes first bytes that come with the proposal, at every border of chunks', async () => {
    for (let at = 0; at < BORDERS; at++) {
      const { ours, theirs } = await connected(at, 'inbound');
      const answering = answer(theirs);
      const { stream } = await select(ours, OPEN, { firstBytes: 'payload' });
      expect(await answering).toBe(OPEN);
      expect(String(await readExactly(stream, 13))).toMatch(/^(agreedpayload|payloadagreed)$/);
    }
  });

  test('refuses what it does not have, and takes another select() after it', async () => {
    const { ours, theirs } = await connected(0, 'inbound');
    const answering = answer(theirs);
    await expect(select(ours, ['/none', '/neither'])).rejects.toMatchObject({
      code: 'EPROTONOSUPPORT',
    });
    const { stream } = await select(ours, CLOSE);
    expect(await answering).toBe(CLOSE);
    expect(String(await readExactly(stream, 6))).toBe('agreed');
  });
});

describe('@libp2p/multistream-select, with this side answering', () => {
  test.each([
    ['proposes one', [OPEN], OPEN],
    ['proposes several', ['/none', CLOSE, OPEN], CLOSE],
  ])('%s, at every border of chunks', async (_, proposals, taken) => {
    for (let at = 0; at < BORDERS; at++) {
      const { ours, theirs } = await connected(at, 'outbound');
      const [chosen, { stream, protocol }] = await Promise.all([
        libp2pSelect(theirs, proposals),
        handle(ours, NAMES),
      ]);
      expect([chosen, protocol]).toEqual([taken, taken]);
      const came = received(theirs, 6);
      stream.write('answer');
      expect(await came).toBe('answer');
      theirs.send(Buffer.from('payload'));
      expect(String(await readExactly(stream, 7))).toBe('payload');
    }
  });

  test('is refused, and gives up', async () => {
    const { ours, theirs } = await connected(0, 'outbound');
    const handling = expect(handle(ours, NAMES)).rejects.toMatchObject({
      code: 'EPROTONOSUPPORT',
      message: expect.stringContaining('"/none", "/neither"') as string,
    });
    await expect(libp2pSelect(theirs, ['/none', '/neither'])).rejects.toThrow(
      'Protocol selection failed',
    );
    await theirs.close();
    await handling;
  });
});

test('ls is answered with the same bytes by @libp2p/multistream-select and by handle()', async () => {
  const { ours, theirs } = await connected(0, 'inbound');
  void libp2pHandle(theirs, NAMES).catch(() => undefined);
  const asked = HEADER + line('ls') + line(OPEN);
  ours.write(asked, 'latin1');
  const pair = await memoryPair();
  onTestFinished(() => pair.stop());
  pair.a.write(asked, 'latin1');
  await handle(pair.b, NAMES);
  pair.b.end();
  const here = await readAll(pair.a);
  expect(here.length).toBeGreaterThan(asked.length + NAMES.join('').length);
  expect(await readExactly(ours, here.length)).toEqual(here);
});

test('streams of @libp2p/yamux agree with those of a session, in both roles', async () => {
  const transport = await adapterPair();
  const session = new YamuxSession(transport.a, { role: 'client' });
  const muxer = libp2pMuxer(transport.b, 'inbound');
  onTestFinished(async () => {
    await session.close();
    await transport.stop();
  });
  muxer.addEventListener('stream', (event) => {
    void answer(event.detail);
  });
  const { stream } = await select(session.open({ allowHalfOpen: true }), ['/none', CLOSE]);
  stream.write('payload');
  expect(String(await readExactly(stream, 13))).toBe('agreedpayload');

  const opened = next(session, 'stream');
  const theirs = await muxer.createStream();
  const selecting = libp2pSelect(theirs, ['/none', OPEN]);
  const [accepted] = (await opened) as [YamuxStream];
  expect((await handle(accepted, NAMES)).protocol).toBe(OPEN);
  expect(await selecting).toBe(OPEN);
  const came = received(theirs, 6);
  accepted.write('answer');
  expect(await came).toBe('answer');
});
