import { EventEmitter } from 'node:events';
import type { AddressInfo } from 'node:net';

import {
  connect,
  type ConnectOptions,
  createServer,
  type CreateServerOptions,
} from '../../../src/index.ts';
import type { WsConnAdapter, WsConnServer } from '../../../src/index.ts';

/** A server on a port of its own. */
export interface Endpoint {
  readonly server: WsConnServer;
  readonly url: string;
  readonly port: number;
}

export async function listen(options: CreateServerOptions = {}): Promise<Endpoint> {
  const server = createServer(options).listen({ port: 0, host: '127.0.0.1', backlog: 4_096 });
  await EventEmitter.once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { server, port, url: `ws://127.0.0.1:${String(port)}` };
}

/** Connects one pair over a server of its own. */
export async function pair(
  options: CreateServerOptions & ConnectOptions = {},
): Promise<{ client: WsConnAdapter; served: WsConnAdapter; server: WsConnServer }> {
  const { server, url } = await listen(options);
  const accepted = EventEmitter.once(server, 'connection') as Promise<[WsConnAdapter]>;
  const client = connect(url, options);
  await EventEmitter.once(client, 'connect');
  const [served] = await accepted;
  return { client, served, server };
}
