/** A server whose connections outlive their WebSockets, and clients of it, for one test. */
import type { IncomingMessage } from 'node:http';
import type net from 'node:net';

import { onTestFinished } from 'vitest';

import {
  connect,
  createServer,
  type ResumableConnectOptions,
  type ResumableServerOptions,
  ResumableSocket,
  type WsConnAdapter,
  type WsConnServer,
} from '../../../src/index.ts';
import { closeOf, next, record, type Recording } from '../events.ts';
import { CuttingRelay } from '../links/cutting-relay.ts';
import { readExactly } from '../reading.ts';

export type Connection = WsConnAdapter | ResumableSocket;

export interface ResumableServer {
  readonly server: WsConnServer<Connection>;
  readonly port: number;
  readonly url: string;
  /** What it has accepted, in order, and what each has emitted. */
  readonly connections: { readonly socket: Connection; readonly events: Recording }[];
  /** The statuses of what it has refused, and why. */
  readonly refused: { readonly status: number; readonly cause: unknown }[];
  /** Resolves with the connection of that number when it is there. */
  connection(at: number): Promise<Connection>;
}

/** Starts one; without `serve` it echoes. */
export async function startResumable(
  options: Partial<ResumableServerOptions> = {},
  serve: (socket: Connection) => void = (socket) => socket.pipe(socket),
): Promise<ResumableServer> {
  const connections: ResumableServer['connections'] = [];
  const refused: ResumableServer['refused'] = [];
  const server = createServer({ resume: true, ...options }, (socket) => {
    connections.push({ socket, events: record(socket) });
    serve(socket);
  });
  server.on('refused', (_request: IncomingMessage, status: number, cause: unknown) => {
    refused.push({ status, cause });
  });
  server.listen(0, '127.0.0.1');
  await next(server, 'listening');
  onTestFinished(() => server.close());
  const { port } = server.address() as net.AddressInfo;
  return {
    ...{ server, port, connections, refused },
    url: `ws://127.0.0.1:${String(port)}`,
    connection: async (at) => {
      while (connections.length <= at) await next(server, 'connection');
      return (connections[at] as (typeof connections)[number]).socket;
    },
  };
}

/** Starts a relay that can be cut, in front of a port; it listens on `at`, or on any port. */
export async function startRelay(port: number, at?: number): Promise<CuttingRelay> {
  const relay = await CuttingRelay.start(port, at);
  onTestFinished(() => (relay.listening ? relay.stop() : undefined));
  return relay;
}

/** Connects with `resume`; it is ended when the test is over. */
export async function dial(
  url: string,
  options: Partial<ResumableConnectOptions> = {},
): Promise<ResumableSocket> {
  const socket = connect(url, { resume: true, ...options });
  record(socket);
  onTestFinished(() => {
    const closed = closeOf(socket);
    socket.resetAndDestroy();
    return closed;
  });
  await next(socket, 'connect');
  return socket;
}

/** A client that must notice nothing of what others do to its server, which echoes. */
export interface Bystander {
  /** Fails unless it is served as ever, over the WebSocket that it always had. */
  expectServed(): Promise<void>;
}

export async function startBystander(
  url: string,
  options: Partial<ResumableConnectOptions> = {},
): Promise<Bystander> {
  const socket = await dial(url, options);
  let losses = 0;
  socket.on('disconnect', () => losses++);
  const bystander = {
    expectServed: async () => {
      socket.write('is anybody there?');
      const answer = await readExactly(socket, 17);
      if (String(answer) !== 'is anybody there?') throw new Error(`the echo is ${String(answer)}`);
      if (losses > 0 || !(socket instanceof ResumableSocket)) throw new Error('it was disturbed');
    },
  };
  await bystander.expectServed();
  return bystander;
}
