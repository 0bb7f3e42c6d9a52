import type { AddressInfo } from 'node:net';

import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';

import {
  connect,
  createServer,
  type CreateServerOptions,
  WsConnAdapter,
} from '../../../src/index.ts';
import { YamuxSession, type YamuxStream } from '../../../src/yamux/index.ts';
import {
  Flag,
  FrameDecoder,
  FrameType,
  HEADER_SIZE,
  INITIAL_WINDOW,
} from '../../../src/yamux/wire/frame.ts';
import { closeOf, next, turns } from '../../support/events.ts';
import { frame } from '../raw-peer.ts';

const { data, ping, windowUpdate } = FrameType;
const { ack, fin, syn } = Flag;
const MIB = 1024 * 1024;
const SENT = 40 * MIB;

/**
 * What a peer has found: bytes of the largest window that it had, and of the largest body that it
 * sent.
 */
interface Found {
  readonly window: number;
  readonly body: number;
}

/**
 * Sends much as hashicorp/yamux does over a WebSocket of Go: all that the window allows is one
 * frame, or `most` bytes of it, and one frame is one message. The clock advances by 50 ms while a
 * ping is out, and not at all while bytes are: every rate is as high as can be.
 */
async function sendMuch(peer: WebSocket, session: YamuxSession, most = Infinity): Promise<Found> {
  vi.useFakeTimers({ toFake: ['performance'] });
  onTestFinished(() => {
    vi.useRealTimers();
  });
  let [open, left] = [INITIAL_WINDOW, SENT];
  const found = { window: 0, body: 0 };
  session.on('stream', (stream) => stream.on('error', () => undefined).resume());
  const done = next(session, 'stream').then(([stream]) => closeOf(stream as YamuxStream));
  const send = (): void => {
    found.window = Math.max(found.window, open);
    while (open > 0 && left > 0) {
      const length = Math.min(open, left, most);
      open -= length;
      left -= length;
      found.body = Math.max(found.body, length);
      peer.send(frame(data, left === 0 ? fin : 0, 1, length, Buffer.alloc(length)));
    }
  };
  const decoder = new FrameDecoder({
    onHeader: ({ type, flags, length }) => {
      if (type === ping && flags === syn) {
        vi.advanceTimersByTime(50);
        peer.send(frame(ping, ack, 0, length));
      } else if (type === windowUpdate) {
        open += length;
        send();
      }
    },
    onBody: () => undefined,
  });
  peer.on('message', (message) => {
    decoder.decode(message as Buffer);
  });
  peer.send(frame(windowUpdate, syn, 1, 0));
  send();
  await done;
  return found;
}

/** A session of the server over a WebSocket of this package's, and the bare ws at the other end. */
async function atServer(
  options: CreateServerOptions = {},
  protocols: string[] = [],
): Promise<{ readonly session: YamuxSession; readonly peer: WebSocket }> {
  const server = createServer(options).listen(0, '127.0.0.1');
  await next(server, 'listening');
  const connection = next(server, 'connection');
  const peer = new WebSocket(
    `ws://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    protocols,
    {
      perMessageDeflate: false,
    },
  );
  peer.on('error', () => undefined);
  await next(peer, 'open');
  const [adapter] = (await connection) as [WsConnAdapter];
  const session = new YamuxSession(adapter, { role: 'server', keepalive: false });
  onTestFinished(async () => {
    const closed = session.close();
    await closed;
    peer.terminate();
    await closeOf(adapter);
    await server.close();
  });
  return { session, peer };
}

/** The same with a session of the client, over an adapter that `make` makes for the url. */
async function atClient(
  make: (url: string) => WsConnAdapter,
): Promise<{ readonly session: YamuxSession; readonly peer: WebSocket }> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await next(server, 'listening');
  const connection = next(server, 'connection');
  const adapter = make(`ws://127.0.0.1:${String((server.address() as AddressInfo).port)}`);
  // While it connects: the session does not know yet what the subprotocol will be.
  const session = new YamuxSession(adapter, { role: 'server', keepalive: false });
  const [peer] = (await connection) as [WebSocket];
  peer.on('error', () => undefined);
  onTestFinished(async () => {
    await session.close();
    await closeOf(adapter);
    server.close();
    await turns(2);
  });
  return { session, peer };
}

describe('a peer that sends all that its window allows as one message', () => {
  test.each([
    ['createServer()', () => atServer(), MIB],
    ['createServer() with maxPayload', () => atServer({ maxPayload: 3 * MIB }), 3 * MIB],
    ['connect()', () => atClient((url) => connect(url)), MIB],
    [
      "a WebSocket of one's own with maxPayload",
      () =>
        atClient(
          (url) =>
            new WsConnAdapter(new WebSocket(url, { maxPayload: 2 * MIB }), { maxPayload: 2 * MIB }),
        ),
      2 * MIB,
    ],
  ])('never passes the largest message that %s takes', async (_name, make, maxPayload) => {
    const { session, peer } = await make();
    const { body } = await sendMuch(peer, session);
    expect(body + HEADER_SIZE).toBeLessThanOrEqual(maxPayload);
    // And the window was used as far as it may be.
    expect(body).toBeGreaterThan(maxPayload / 2);
    expect(await session.close()).toBeNull();
  });

  test("finds the windows as large as ever over a WebSocket of one's own, which takes 100 MiB", async () => {
    const { session, peer } = await atClient((url) => new WsConnAdapter(new WebSocket(url)));
    expect((await sendMuch(peer, session)).body).toBeGreaterThan(2 * MIB);
  });
});

test('with the subprotocol wsconn.mux windows grow past the largest message: both ends cut their frames', async () => {
  const { session, peer } = await atServer({ handleProtocols: () => 'wsconn.mux' }, ['wsconn.mux']);
  expect((await sendMuch(peer, session, 65_536)).window).toBeGreaterThan(2 * MIB);
});
