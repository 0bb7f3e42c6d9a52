import type { AddressInfo } from 'node:net';

import { onTestFinished } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';

import {
  connect,
  type CreateServerOptions,
  type WsConnAdapter,
  type WsConnAdapterOptions,
  type WsConnServer,
} from '../../../src/index.ts';
import { closeOf, next } from '../events.ts';
import { rawClient, type RawPeer, rawServer } from '../peers/raw-peer.ts';
import { listen } from './pairs.ts';

/** Which side of the handshake the adapter under test is. */
export type Role = 'client' | 'server';

export const ROLES: readonly Role[] = ['client', 'server'];

/**
 * Options of an adapter under test, in both roles. An adapter at the other end has the same.
 */
export type MeetOptions = Omit<WsConnAdapterOptions, 'signal'> & {
  readonly maxPayload?: number;
  readonly perMessageDeflate?: boolean;
};

/** Destroys the adapters when the test is over, and waits until nothing of them is left. */
export function stopAfterTest(...adapters: readonly WsConnAdapter[]): void {
  onTestFinished(async () => {
    const closed = adapters.map(closeOf);
    // One that was destroyed before may linger yet.
    for (const adapter of adapters) adapter.resetAndDestroy();
    for (const { ws } of adapters) ws.terminate();
    await Promise.all(closed);
  });
}

/**
 * A server for one test, its url, and the first adapter that it accepts, whose errors count as
 * handled.
 */
export async function serve(
  options: CreateServerOptions,
): Promise<{ url: string; port: number; server: WsConnServer; accepted: Promise<WsConnAdapter> }> {
  const { server, port, url } = await listen(options);
  onTestFinished(() => server.close());
  const accepted = new Promise<WsConnAdapter>((resolve) => server.once('connection', resolve));
  server.on('connection', (adapter) => adapter.on('error', () => undefined));
  return { url, port, server, accepted };
}

/** Connects two adapters; the one under test has the role. */
export async function meetAdapter(
  role: Role,
  options: MeetOptions = {},
  peerOptions: MeetOptions = options,
): Promise<{ adapter: WsConnAdapter; peer: WsConnAdapter }> {
  const { url, accepted } = await serve(role === 'server' ? options : peerOptions);
  const dialled = connect(url, role === 'client' ? options : peerOptions);
  await next(dialled, 'connect');
  const taken = await accepted;
  stopAfterTest(dialled, taken);
  return role === 'client' ? { adapter: dialled, peer: taken } : { adapter: taken, peer: dialled };
}

/** Connects an adapter to a plain ws, whose errors count as handled. */
export async function meetWs(
  role: Role,
  options: MeetOptions = {},
): Promise<{ adapter: WsConnAdapter; peer: WebSocket }> {
  let peer: WebSocket;
  let adapter: WsConnAdapter;
  if (role === 'server') {
    const { url, accepted } = await serve(options);
    peer = new WebSocket(url, { perMessageDeflate: false });
    peer.on('error', () => undefined);
    await next(peer, 'open');
    adapter = await accepted;
  } else {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    await next(server, 'listening');
    onTestFinished(
      () =>
        new Promise<void>((resolve) => {
          server.close(() => {
            resolve();
          });
        }),
    );
    const connection = next(server, 'connection');
    adapter = connect(`ws://127.0.0.1:${String((server.address() as AddressInfo).port)}`, options);
    peer = (await connection)[0] as WebSocket;
    peer.on('error', () => undefined);
    if (adapter.connecting) await next(adapter, 'connect');
  }
  stopAfterTest(adapter);
  onTestFinished(() => {
    peer.terminate();
  });
  return { adapter, peer };
}

/** Connects an adapter to a peer made by hand. */
export async function meetRaw(
  role: Role,
  options: MeetOptions = {},
): Promise<{ adapter: WsConnAdapter; peer: RawPeer }> {
  let peer: RawPeer;
  let adapter: WsConnAdapter;
  if (role === 'server') {
    const { port, accepted } = await serve(options);
    peer = (await rawClient(port)).peer;
    adapter = await accepted;
  } else {
    const server = await rawServer();
    onTestFinished(() => server.stop());
    adapter = connect(server.url, options);
    peer = await server.peer;
    if (adapter.connecting) await next(adapter, 'connect');
  }
  stopAfterTest(adapter);
  onTestFinished(() => {
    peer.socket.destroy();
  });
  return { adapter, peer };
}
