import type { WebSocket } from 'ws';
import { describe, expect, onTestFinished, test } from 'vitest';

import { bytesOf, sha256 } from '../../../src/conformance/frame/bytes.ts';
import type { SocketDuplex } from '../../../src/base/socket-duplex.ts';
import { turns } from '../../support/events.ts';
import { adapterPair, type Pair } from '../../support/pairs/pairs.ts';
import { resumablePair } from '../../support/pairs/resumable.ts';
import { readAll } from '../../support/reading.ts';
import { openStream, sessionPair } from '../pairs.ts';

type OverWebSocket = SocketDuplex & { readonly ws: WebSocket | null };

const HIGH_WATER_MARK = 1_024;
const options = { writableHighWaterMark: HIGH_WATER_MARK };
/** Several frames, and more than a stream's first window. */
const LENGTH = 600_000;

const TRANSPORTS: Record<string, () => Promise<Pair<OverWebSocket>>> = {
  adapter: () => adapterPair(options),
  'socket that outlives its WebSocket': () => resumablePair(options),
};

/** Returns the WebSocket of now. */
function webSocketOf({ ws }: OverWebSocket): WebSocket {
  if (!ws) throw new Error('there is no WebSocket');
  return ws;
}

describe.each(Object.entries(TRANSPORTS))('over an %s', (_name, makeTransport) => {
  test('streams go on where control frames of the WebSocket alone fill its send queue', async () => {
    const transport = await makeTransport();
    const sessions = await sessionPair({}, {}, () => Promise.resolve(transport));
    const stream = await openStream(sessions.a, sessions.b);
    onTestFinished(async () => {
      await stream.stop();
      await sessions.stop();
    });
    const [near, far] = [webSocketOf(transport.a), webSocketOf(transport.b)];
    far.pause();
    while (near.bufferedAmount < 2 * HIGH_WATER_MARK) near.pong(Buffer.alloc(125));
    const bytes = bytesOf(1, LENGTH);
    stream.a.end(bytes);
    const other = openStream(sessions.a, sessions.b);
    await turns(5);
    far.resume();
    expect(sha256(await readAll(stream.b))).toBe(sha256(bytes));
    await (await other).stop();
  });
});
