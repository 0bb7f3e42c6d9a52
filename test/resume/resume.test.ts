import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type net from 'node:net';

import { expect, onTestFinished, test } from 'vitest';

import { connect, createServer, ResumableSocket, WsConnAdapter } from '../../src/index.ts';
import { closeOf } from '../support/events.ts';
import { CuttingRelay } from '../support/links/cutting-relay.ts';

type Connection = WsConnAdapter | ResumableSocket;

async function startServer(
  resume: boolean,
  onConnection: (connection: Connection) => void,
): Promise<number> {
  const server = createServer({ resume }, onConnection);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => server.close());
  return (server.address() as net.AddressInfo).port;
}

async function startRelay(to: number): Promise<CuttingRelay> {
  const relay = await CuttingRelay.start(to);
  onTestFinished(() => relay.stop());
  return relay;
}

test('a transfer both ways over a path that is cut again and again brings every byte once', async () => {
  const port = await startServer(true, (connection) => {
    connection.on('error', () => undefined);
    connection.pipe(connection);
  });
  const relay = await startRelay(port);
  const socket = connect(relay.url, { resume: true });
  const seen = { disconnect: 0, reconnect: 0 };
  socket.on('disconnect', () => seen.disconnect++);
  socket.on('reconnect', () => seen.reconnect++);
  const [sent, got] = [createHash('sha256'), createHash('sha256')];
  let bytes = 0;
  let cutAt = 1;
  socket.on('data', (chunk: Buffer) => {
    got.update(chunk);
    bytes += chunk.length;
    if (bytes < cutAt) return;
    cutAt += 1_048_576;
    relay.cut();
  });
  const block = randomBytes(262_144);
  for (let round = 0; round < 64; round++) {
    sent.update(block);
    if (!socket.write(block)) await once(socket, 'drain');
  }
  const ended = once(socket, 'end');
  socket.end();
  await ended;
  expect(bytes).toBe(64 * block.length);
  expect(got.digest('hex')).toBe(sent.digest('hex'));
  await closeOf(socket);
  expect(socket.errored).toBeNull();
  expect(seen.disconnect).toBeGreaterThan(5);
  expect(seen.reconnect).toBe(seen.disconnect);
});

test('close() says the end in the protocol, with its code', async () => {
  let atServer: Connection | undefined;
  const port = await startServer(true, (connection) => {
    atServer = connection;
    connection.resume();
    void connection.close(4001, 'enough');
  });
  const socket = connect(`ws://127.0.0.1:${String(port)}`, { resume: true });
  const [error] = (await once(socket, 'error')) as [unknown];
  expect(error).toMatchObject({ code: 'ECONNRESET', closeCode: 4001, closeReason: 'enough' });
  await closeOf(socket);
  expect(atServer).toBeInstanceOf(ResumableSocket);
});

test('with a server that does not resume it is as without', async () => {
  const port = await startServer(false, (connection) => {
    expect(connection).toBeInstanceOf(WsConnAdapter);
    connection.on('error', () => undefined);
    connection.pipe(connection);
  });
  const relay = await startRelay(port);
  const socket = connect(relay.url, { resume: true });
  socket.write('x');
  expect(String((await once(socket, 'data')).at(0))).toBe('x');
  const failed = once(socket, 'error');
  relay.cut();
  expect((await failed).at(0)).toMatchObject({ code: 'ECONNRESET', closeCode: 1006 });
  await closeOf(socket);
});

test('a WebSocket that has taken over lasts longer than the time limit of a handshake', async () => {
  const handshakeTimeout = 100;
  const server = createServer({ resume: true, handshakeTimeout }, (connection) => {
    connection.on('error', () => undefined);
    connection.pipe(connection);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => server.close());
  const relay = await startRelay((server.address() as net.AddressInfo).port);
  const socket = connect(relay.url, { resume: true });
  socket.write('x');
  await once(socket, 'data');
  relay.cut();
  await once(socket, 'reconnect');
  let lost = 0;
  socket.on('disconnect', () => lost++);
  for (const until = performance.now() + 3 * handshakeTimeout; performance.now() < until;) {
    socket.write('x');
    await once(socket, 'data');
  }
  expect(lost).toBe(0);
  socket.end();
  await closeOf(socket);
});
