import { once } from 'node:events';
import net from 'node:net';
import type { Duplex } from 'node:stream';

import { createWebSocketStream, WebSocket, WebSocketServer } from 'ws';

import { connect, createServer } from '../../src/index.ts';

/** One way to move bytes over loopback. */
export interface Transport {
  readonly name: string;
  /** Listens on a free port of loopback and hands over each connection; returns the port. */
  listen(onConnection: (stream: Duplex) => void): Promise<number>;
  open(port: number): Promise<Duplex>;
}

export const HOST = '127.0.0.1';

export async function portOf(server: {
  on(event: 'listening', listener: () => void): unknown;
  address(): unknown;
}): Promise<number> {
  await once(server as net.Server, 'listening');
  return (server.address() as net.AddressInfo).port;
}

/**
 * Says to yamux that both ends cut their frames, so that windows may grow beyond the largest
 * message.
 */
const PROTOCOL = 'wsconn.mux';

export const adapter: Transport = {
  name: 'ws-conn-adapter',
  listen: (onConnection) =>
    portOf(createServer({ handleProtocols: () => PROTOCOL }, onConnection).listen(0, HOST)),
  async open(port) {
    const stream = connect(`ws://${HOST}:${String(port)}`, { protocols: PROTOCOL });
    await once(stream, 'connect');
    return stream;
  },
};

export const resumable: Transport = {
  name: 'ws-conn-adapter, resume',
  listen: (onConnection) => portOf(createServer({ resume: true }, onConnection).listen(0, HOST)),
  async open(port) {
    const stream = connect(`ws://${HOST}:${String(port)}`, { resume: true });
    await once(stream, 'connect');
    return stream;
  },
};

export const webSocketStream: Transport = {
  name: 'createWebSocketStream',
  listen(onConnection) {
    const server = new WebSocketServer({ port: 0, host: HOST });
    server.on('connection', (ws) => {
      onConnection(createWebSocketStream(ws));
    });
    return portOf(server);
  },
  async open(port) {
    const ws = new WebSocket(`ws://${HOST}:${String(port)}`, { perMessageDeflate: false });
    await once(ws, 'open');
    return createWebSocketStream(ws);
  },
};

export const tcp: Transport = {
  name: 'net.Socket',
  listen: (onConnection) => portOf(net.createServer(onConnection).listen(0, HOST)),
  async open(port) {
    const socket = net.connect(port, HOST).setNoDelay(true);
    await once(socket, 'connect');
    return socket;
  },
};
