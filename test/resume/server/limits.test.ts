import { expect, test } from 'vitest';

import { connect } from '../../../src/index.ts';
import { closeOf, next } from '../../support/events.ts';
import {
  dial,
  startBystander,
  startRelay,
  startResumable,
} from '../../support/pairs/resumable-server.ts';
import { PING, PONG } from '../../support/peers/frames.ts';
import { ask, begin, claim, messageOf, sayHello } from '../../support/peers/resume-peer.ts';
import { readExactly } from '../../support/reading.ts';

/** Cuts the TCP connection of a session's client, and waits until the server has lost it. */
async function lose(
  { socket }: { readonly socket: { destroy(): unknown } },
  atServer: NodeJS.EventEmitter,
): Promise<void> {
  const lost = next(atServer, 'disconnect');
  socket.destroy();
  await lost;
}

test('a WebSocket that a session came back over lasts longer than handshakeTimeout', async () => {
  const server = await startResumable({ handshakeTimeout: 300 });
  const relay = await startRelay(server.port);
  const socket = await dial(relay.url);
  let losses = 0;
  socket.on('disconnect', () => losses++);
  const back = next(socket, 'reconnect');
  const other = await begin(server.port);
  relay.cut();
  await back;
  // A claim that comes later and says nothing is ended by the limit.
  const silent = await claim(server.port, other.id, 0);
  await silent.peer.tcpEnd;
  socket.write('x');
  await readExactly(socket, 1);
  expect(losses).toBe(1);
});

test('a claim that says no HELLO ends within handshakeTimeout, and takes a place until then', async () => {
  const server = await startResumable({ handshakeTimeout: 300, maxConnections: 2 });
  const session = await begin(server.port);
  const { peer } = await claim(server.port, session.id, 0);
  const { status } = await claim(server.port, session.id, 0, { 'WsConn-Resume': '' });
  expect(status).toBe(503);
  await peer.tcpEnd;
  const bystander = await startBystander(server.url);
  await bystander.expectServed();
  expect(session.peer.socket.destroyed).toBe(false);
});

test('a connection that is held counts, and its client is let in although the server is full', async () => {
  const server = await startResumable({ maxConnections: 1 });
  const session = await begin(server.port);
  await messageOf(session.peer, 'ack');
  await lose(session.peer, await server.connection(0));
  expect(server.server.connections).toBe(1);
  const other = connect(server.url, { resume: true });
  const [error] = await next(other, 'error');
  expect(error).toMatchObject({ statusCode: 503 });
  const { peer, status } = await claim(server.port, session.id, 0);
  expect(status).toBe(101);
  sayHello(peer, session.id);
  await messageOf(peer, 'ack');
  expect(server.server.connections).toBe(1);
});

test('one more held connection than maxSessions, and the longest held gives way', async () => {
  const server = await startResumable({ resume: { maxSessions: 2 } });
  const sessions = [];
  for (const at of [0, 1, 2]) {
    const session = await begin(server.port);
    await messageOf(session.peer, 'ack');
    sessions.push(session);
    await lose(session.peer, await server.connection(at));
  }
  const [first, second, third] = sessions.map(({ id }) => id);
  await closeOf(await server.connection(0));
  const [error] = server.connections[0]?.events.errors ?? [];
  expect(error).toMatchObject({ code: 'ETIMEDOUT' });
  expect(error?.message).toContain('maxSessions');
  expect(server.server.connections).toBe(2);
  const gone = await claim(server.port, first as Buffer, 0);
  expect(gone).toMatchObject({ status: 410 });
  expect(gone.told).toMatch(/^aborted; code=1006; text=more%20than%202%20connections/);
  for (const id of [second, third]) {
    expect(await claim(server.port, id as Buffer, 0)).toMatchObject({ status: 101 });
  }
});

test('the client of a connection that was given up hears why', async () => {
  const server = await startResumable({ resume: { maxSessions: 0 } });
  const relay = await startRelay(server.port);
  const socket = await dial(relay.url);
  socket.write('x');
  await readExactly(socket, 1);
  const failed = next(socket, 'error');
  relay.cut();
  const [error] = await failed;
  expect(error).toMatchObject({ code: 'ECONNRESET' });
  // The client may be back before the server has seen that it was gone.
  expect((error as Error).message).toMatch(/the peer has broken off|the connection has ended/);
});

test('close() says 1001 to those with a WebSocket, and ends those without at once', async () => {
  const server = await startResumable({ closeTimeout: 60_000 });
  const attached = await dial(server.url);
  attached.write('x');
  await readExactly(attached, 1);
  const held = await begin(server.port);
  await messageOf(held.peer, 'ack');
  await lose(held.peer, await server.connection(1));
  const asked = await ask(server.port);
  const failed = next(attached, 'error');
  const closed = server.server.close();
  expect((await failed)[0]).toMatchObject({ code: 'ECONNRESET', closeCode: 1001 });
  // What it is asked shows that it does not resume.
  asked.peer.send(PONG, (await asked.peer.frame(PING)).payload);
  expect(await asked.peer.closeCode()).toBe(1001);
  asked.peer.sendClose(1001);
  asked.peer.socket.end();
  await closed;
  expect(server.server.connections).toBe(0);
  const [error] = server.connections[1]?.events.errors ?? [];
  expect(error).toMatchObject({ code: 'ECONNRESET' });
  expect(error?.message).toContain('the server has closed');
});

test('a connection whose both directions have ended closes without waiting for closeTimeout', async () => {
  const server = await startResumable({ closeTimeout: 600_000 });
  const socket = await dial(server.url, { closeTimeout: 600_000 });
  socket.end('x');
  socket.resume();
  await closeOf(socket);
  await closeOf(await server.connection(0));
  expect(server.server.connections).toBe(0);
});

test('close() leaves nothing of a claim that has not said HELLO', async () => {
  const server = await startResumable({ closeTimeout: 500 });
  const session = await begin(server.port);
  const { peer } = await claim(server.port, session.id, 0);
  session.peer.socket.on('end', () => session.peer.socket.end());
  await server.server.close();
  await peer.tcpEnd;
  expect(server.server.connections).toBe(0);
});
