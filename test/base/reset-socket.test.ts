import net from 'node:net';

import { expect, onTestFinished, test } from 'vitest';

import { resetSocket } from '../../src/base/reset-socket.ts';
import { connect, createServer, join, type WsConnAdapter } from '../../src/index.ts';
import { closeOf, next, record } from '../support/events.ts';
import { stopAfterTest } from '../support/pairs/meet.ts';
import { tcpPair } from '../support/pairs/pairs.ts';

test('a socket that is reset in the turn of its end is closed, and its peer sees the reset', async () => {
  const pair = await tcpPair({ allowHalfOpen: true });
  const { a, b } = pair;
  const [mine, others] = [record(a), record(b.resume())];
  a.end();
  resetSocket(a);
  await mine.closed;
  expect(mine.errors).toEqual([]);
  b.write('nobody is there');
  await others.closed;
  expect(others.hadError).toBe(true);
  await pair.stop();
});

test('an adapter that is reset in the turn of its TCP end is closed', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => server.close());
  const connection = next(server, 'connection');
  await next(server, 'listening');
  const client = connect(`ws://127.0.0.1:${String((server.address() as net.AddressInfo).port)}`);
  stopAfterTest(client);
  await next(client, 'connect');
  const [adapter] = (await connection) as [WsConnAdapter];
  const closed = closeOf(adapter);
  client.on('error', () => undefined);
  // ws ends the socket below when TCP ends, before anybody else hears of it.
  const raw = (adapter.ws as unknown as { readonly _socket: net.Socket })._socket;
  raw.once('end', () => adapter.resetAndDestroy());
  client.ws.terminate();
  await closed;
  expect(await adapter.close()).toBeNull();
});

test('a tunnel whose TCP ends both break off in one turn of the loop leaves nothing behind', async () => {
  const target = net.createServer().listen(0, '127.0.0.1');
  await next(target, 'listening');
  const far = new Set<net.Socket>();
  target.on('connection', (socket) => far.add(socket.on('error', () => undefined).resume()));
  const joined: Promise<unknown>[] = [];
  const gateway = createServer((socket) => {
    const to = net.connect((target.address() as net.AddressInfo).port, '127.0.0.1');
    joined.push(join(socket, to).catch((error: unknown) => error));
  }).listen(0, '127.0.0.1');
  await next(gateway, 'listening');
  const url = `ws://127.0.0.1:${String((gateway.address() as net.AddressInfo).port)}`;
  const COUNT = 20;
  const clients = Array.from({ length: COUNT }, () =>
    connect(url)
      .on('error', () => undefined)
      .resume(),
  );
  for (const client of clients) client.write('x');
  while (far.size < COUNT) await next(target, 'connection');
  for (const socket of far) if (socket.bytesRead === 0) await next(socket, 'data');
  for (const { ws } of clients) ws.terminate();
  for (const socket of far) socket.resetAndDestroy();
  await Promise.all(joined);
  await gateway.close();
  await new Promise((resolve) => target.close(resolve));
});
