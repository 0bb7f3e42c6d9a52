/** Peers of a session that say what nobody may say: it ends, and everything else goes on. */
import type net from 'node:net';

import { expect, test } from 'vitest';

import { closeOf } from '../../support/events.ts';
import { startBystander, startResumable } from '../../support/pairs/resumable-server.ts';
import { BINARY, TEXT } from '../../support/peers/frames.ts';
import type { RawPeer } from '../../support/peers/raw-peer.ts';
import { ask, begin, claim, messageOf, sayHello } from '../../support/peers/resume-peer.ts';

const WINDOW = 65_536;

const binary =
  (...bytes: readonly number[]) =>
  (peer: RawPeer): void => {
    peer.send(BINARY, Buffer.from(bytes));
  };

test.each<[string, (peer: RawPeer, id: Buffer) => void, number, string]>([
  [
    'acknowledges what was never sent',
    binary(1, 1, 0),
    1002,
    'an acknowledgement of what was never sent',
  ],
  [
    'acknowledges it with its data',
    binary(2, 9, 9, 1),
    1002,
    'an acknowledgement of what was never sent',
  ],
  ['has read more than it received', binary(1, 0, 1), 1002, 'more is consumed than received'],
  [
    'sends more than the window',
    (peer) => {
      peer.send(BINARY, Buffer.alloc(WINDOW + 2));
    },
    1002,
    'more bytes than the window allows',
  ],
  [
    'says HELLO twice',
    (peer, id) => {
      sayHello(peer, id);
    },
    1002,
    'a HELLO that is not the first message',
  ],
  [
    'says FIN twice',
    (peer) => {
      binary(3)(peer);
      binary(3)(peer);
    },
    1002,
    'a FIN behind the end',
  ],
  [
    'sends behind its FIN',
    (peer) => {
      binary(3)(peer);
      binary(0, 1)(peer);
    },
    1002,
    'bytes behind the end',
  ],
  ['sends an unknown message', binary(7), 1002, 'a message of unknown type 7'],
  ['sends an empty message', binary(), 1002, 'an empty message'],
  [
    'sends text',
    (peer) => {
      peer.send(TEXT, 'x');
    },
    1003,
    'a text message',
  ],
])('who %s is told so, and his session ends with EPROTO', async (_what, send, code, reason) => {
  const server = await startResumable(
    { resume: { window: WINDOW }, allowHalfOpen: true, closeTimeout: 200 },
    (socket) => {
      // The first session is of somebody who must notice nothing.
      if (server.connections.length === 1) socket.pipe(socket);
    },
  );
  const bystander = await startBystander(server.url);
  const { peer, id } = await begin(server.port);
  await messageOf(peer, 'ack');
  send(peer, id);
  expect((await messageOf(peer, 'abort')).close).toEqual({ code, reason });
  await closeOf(await server.connection(1));
  const [error] = server.connections[1]?.events.errors ?? [];
  expect(error).toMatchObject({ code: 'EPROTO' });
  expect(error?.message).toContain(reason);
  expect(await claim(server.port, id, 0)).toMatchObject({ status: 410 });
  await bystander.expectServed();
});

test.each([
  ['more than was sent', { received: 1 }, 'it has more bytes than were sent'],
  ['a gap', { start: 1 }, 'it leaves out bytes that did not come'],
])('a new session whose HELLO has %s ends with EPROTO', async (_what, said, reason) => {
  const server = await startResumable({ closeTimeout: 200 });
  const bystander = await startBystander(server.url);
  const { peer, id } = await ask(server.port);
  sayHello(peer, id, said);
  expect((await messageOf(peer, 'abort')).close).toEqual({ code: 1002, reason });
  await closeOf(await server.connection(1));
  expect(server.connections[1]?.events.errors).toMatchObject([{ code: 'EPROTO' }]);
  await bystander.expectServed();
});

test('who is given an id and does not say it has a plain WebSocket, which is not held', async () => {
  const server = await startResumable({ closeTimeout: 200 });
  const bystander = await startBystander(server.url);
  const { peer, id } = await ask(server.port);
  peer.send(BINARY, 'plain');
  expect((await peer.frame(BINARY)).payload.toString()).toBe('plain');
  peer.socket.destroy();
  await closeOf(await server.connection(1));
  expect(await claim(server.port, id, 0)).toMatchObject({ status: 410, told: 'unknown' });
  await bystander.expectServed();
});

test('who is given an id and is cut before HELLO is not held', async () => {
  const server = await startResumable({ closeTimeout: 200 });
  const { peer, id } = await ask(server.port);
  peer.socket.destroy();
  await closeOf(await server.connection(0));
  expect(server.server.connections).toBe(0);
  expect(await claim(server.port, id, 0)).toMatchObject({ status: 410, told: 'unbegun' });
});

test('who comes back before HELLO has come ends the first WebSocket, whose HELLO begins nothing then', async () => {
  const server = await startResumable({ closeTimeout: 200 });
  const { peer, id } = await ask(server.port);
  const first = await server.connection(0);
  // HELLO is there, and not looked at yet, when the other handshake is answered.
  const raw = (first.ws as unknown as { readonly _socket: net.Socket })._socket;
  raw.pause();
  sayHello(peer, id);
  const closed = closeOf(first);
  expect(await claim(server.port, id, 0)).toMatchObject({ status: 410, told: 'unbegun' });
  await closed;
  expect(server.connections[0]?.events.errors).toMatchObject([
    { code: 'ECONNRESET', message: expect.stringContaining('begins anew') as string },
  ]);
  expect(first.bytesRead).toBe(0);
  expect(server.server.connections).toBe(0);
  expect(await claim(server.port, id, 0)).toMatchObject({ status: 410, told: 'unbegun' });
});

test('a HELLO behind destroy(err) begins nothing', async () => {
  const server = await startResumable({ closeTimeout: 200 });
  const { peer, id } = await ask(server.port);
  const first = await server.connection(0);
  const raw = (first.ws as unknown as { readonly _socket: net.Socket })._socket;
  raw.prependOnceListener('data', () => first.destroy(new Error('not now')));
  const closed = closeOf(first);
  sayHello(peer, id);
  await closed;
  expect(server.connections[0]?.events.errors).toMatchObject([{ message: 'not now' }]);
  expect(await claim(server.port, id, 0)).toMatchObject({ status: 410, told: 'unbegun' });
  expect(server.server.connections).toBe(0);
});

test('who says the HELLO of another in a new session does not get it', async () => {
  const server = await startResumable({ closeTimeout: 200 });
  const other = await begin(server.port);
  await messageOf(other.peer, 'ack');
  const { peer } = await ask(server.port);
  sayHello(peer, other.id);
  // It is taken for the payload of a plain client, and comes back as that.
  const { payload } = await peer.frame(BINARY);
  expect(payload[0]).toBe(6);
  other.peer.send(BINARY, Buffer.from('\0mine'));
  expect((await messageOf(other.peer, 'data')).bytes.toString()).toBe('mine');
});
