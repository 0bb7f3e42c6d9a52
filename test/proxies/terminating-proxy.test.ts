import type { AddressInfo } from 'node:net';

import { expect, test } from 'vitest';

import { connect, createServer, type WsConnAdapter, type WsConnServer } from '../../src/index.ts';
import { closeOf, next } from '../support/events.ts';
import {
  startTerminatingProxy,
  type TerminatingProxyOptions,
} from '../support/proxies/terminating-proxy.ts';
import { readAll } from '../support/reading.ts';

async function start(onConnection: (adapter: WsConnAdapter) => void): Promise<WsConnServer> {
  const server = createServer({ allowHalfOpen: true }, onConnection);
  server.listen(0, '127.0.0.1');
  await next(server, 'listening');
  return server;
}

async function through(
  server: WsConnServer,
  options?: TerminatingProxyOptions,
): Promise<WsConnAdapter> {
  const { port } = await startTerminatingProxy((server.address() as AddressInfo).port, options);
  return connect(`ws://127.0.0.1:${String(port)}/`, { allowHalfOpen: true });
}

test('messages go both ways through a proxy that ends WebSockets itself', async () => {
  await using server = await start((adapter) => adapter.once('data', (data) => adapter.end(data)));
  // With the answer of the server, so that the half close is agreed on as if nobody stood between.
  const client = await through(server, { answerHeaders: ['wsconn-features'] });
  client.write('over and back');
  expect((await readAll(client)).toString()).toBe('over and back');
  client.end();
  await closeOf(client);
});
