import { expect, onTestFinished, test } from 'vitest';

import type { ResumableSocket } from '../../src/index.ts';
import { BINARY } from '../support/peers/frames.ts';
import type { RawPeer } from '../support/peers/raw-peer.ts';
import { begin } from '../support/peers/resume-peer.ts';
import { startResumable } from '../support/pairs/resumable-server.ts';
import { decode } from '../../src/resume/wire/message.ts';
import { closeOf, turns } from '../support/events.ts';

const HIGH_WATER_MARK = 1_024;
/** Several messages, and less than a window. */
const LENGTH = 300_000;

/** A server's connection whose client is made by hand, and reads nothing yet. */
async function meet(): Promise<{ socket: ResumableSocket; peer: RawPeer }> {
  const options = { writableHighWaterMark: HIGH_WATER_MARK };
  const server = await startResumable(options, () => undefined);
  const { peer } = await begin(server.port);
  const socket = (await server.connection(0)) as ResumableSocket;
  // HELLO is acknowledged: from here on it is known over what the stream runs.
  await peer.frame(BINARY);
  onTestFinished(async () => {
    const closed = closeOf(socket);
    socket.resetAndDestroy();
    peer.socket.destroy();
    await closed;
  });
  peer.socket.pause();
  return { socket, peer };
}

/** Fills the queue of the WebSocket, as the pongs do that a peer asks for and does not take. */
function flood({ ws }: ResumableSocket): void {
  if (!ws) throw new Error('there is no WebSocket');
  while (ws.bufferedAmount < 2 * HIGH_WATER_MARK) ws.pong(Buffer.alloc(125));
}

/** Reads until so many bytes of data have come. */
async function receive(peer: RawPeer, length: number): Promise<number> {
  peer.socket.resume();
  let received = 0;
  while (received < length) {
    const message = decode((await peer.frame(BINARY)).payload);
    if (typeof message === 'string') throw new Error(message);
    if (message.type === 'data') received += message.bytes.length;
  }
  return received;
}

test('a write goes on where control frames alone fill the send queue', async () => {
  const { socket, peer } = await meet();
  flood(socket);
  const written = new Promise((resolve) => socket.write(Buffer.alloc(LENGTH), resolve));
  await turns(5);
  expect(await receive(peer, LENGTH)).toBe(LENGTH);
  await written;
});

test('a write that waits goes on where control frames follow the last message of its own', async () => {
  const { socket, peer } = await meet();
  // More than the kernel takes at once, so that some waits.
  let length = 0;
  while (socket.writableLength === 0) {
    length += LENGTH;
    socket.write(Buffer.alloc(LENGTH));
    await turns(2);
  }
  flood(socket);
  const written = new Promise((resolve) => socket.write(Buffer.alloc(LENGTH), resolve));
  await turns(5);
  expect(await receive(peer, length + LENGTH)).toBe(length + LENGTH);
  await written;
});

test('an end() leaves where control frames alone fill the send queue', async () => {
  const { socket, peer } = await meet();
  flood(socket);
  socket.end();
  await turns(5);
  peer.socket.resume();
  expect((await peer.frame(BINARY)).payload.toString('hex')).toBe('03');
});
