import { once } from 'node:events';
import type net from 'node:net';

import { expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';

import {
  type CreateServerOptions,
  createServer,
  type WsConnAdapter,
  type ResumableSocket,
} from '../../src/index.ts';
import { next } from '../support/events.ts';

type Connection = WsConnAdapter | ResumableSocket;

/** Makes a server that resumes, and a client by hand that asks for it, and may answer pings or not. */
async function meet(
  autoPong: boolean,
  options: CreateServerOptions = {},
): Promise<{ connection: Connection; ws: WebSocket }> {
  const server = createServer({ resume: true, handshakeTimeout: 300, ...options });
  onTestFinished(() => server.close());
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const connected = next(server, 'connection');
  const { port } = server.address() as net.AddressInfo;
  const headers = { 'WsConn-Resume': 'v=1; new; window=1048576' };
  const ws = new WebSocket(`ws://127.0.0.1:${String(port)}`, { headers, autoPong });
  onTestFinished(() => {
    ws.on('error', () => undefined).terminate();
  });
  const [connection] = (await connected) as [Connection];
  return { connection, ws };
}

test('a client that answers a ping before it has said HELLO has not seen the answer: the bytes go as they are', async () => {
  const { connection, ws } = await meet(true);
  connection.write('plain');
  expect(String((await next(ws, 'message'))[0])).toBe('plain');
});

test('a client that answers no ping is given up: to guess what it takes could corrupt the stream', async () => {
  const { connection, ws } = await meet(false);
  const messages: unknown[] = [];
  ws.on('message', (message) => messages.push(message));
  const closed = next(ws, 'close');
  const failed = next(connection, 'error');
  connection.write('plain');
  expect(await failed).toMatchObject([{ code: 'ETIMEDOUT' }]);
  await closed;
  expect(messages).toEqual([]);
});

test('close() sends nothing on a guess either, and says so', async () => {
  const { connection, ws } = await meet(false, { closeTimeout: 100, handshakeTimeout: 60_000 });
  const messages: unknown[] = [];
  ws.on('message', (message) => messages.push(message));
  const closed = next(ws, 'close');
  connection.on('error', () => undefined);
  connection.write('plain');
  expect(await connection.close()).toMatchObject({ code: 'ETIMEDOUT' });
  await closed;
  expect(messages).toEqual([]);
});
