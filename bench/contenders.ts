import { once } from 'node:events';
import net from 'node:net';
import type { Duplex } from 'node:stream';

import { createWebSocketStream, WebSocket, WebSocketServer } from 'ws';

import { connect, createServer } from '../src/index.ts';

/** One way to move bytes over loopback: how its server gives streams, and how its client opens one. */
export interface Contender {
  readonly name: string;
  /** Listens on a free port of loopback and hands over each connection; gives the port. */
  listen(onConnection: (stream: Duplex) => void): Promise<number>;
  open(port: number): Promise<Duplex>;
}

const HOST = '127.0.0.1';
const plain = { perMessageDeflate: false };

async function portOf(server: net.Server): Promise<number> {
  await once(server, 'listening');
  return (server.address() as net.AddressInfo).port;
}

export const contenders: readonly Contender[] = [
  {
    name: 'ws-conn-adapter',
    async listen(onConnection) {
      const server = createServer(onConnection).listen(0, HOST);
      await once(server, 'listening');
      return (server.address() as net.AddressInfo).port;
    },
    async open(port) {
      const stream = connect(`ws://${HOST}:${String(port)}`);
      await once(stream, 'connect');
      return stream;
    },
  },
  {
    name: 'createWebSocketStream',
    async listen(onConnection) {
      const server = new WebSocketServer({ port: 0, host: HOST });
      server.on('connection', (ws) => {
        onConnection(createWebSocketStream(ws));
      });
      await once(server, 'listening');
      return (server.address() as net.AddressInfo).port;
    },
    async open(port) {
      const ws = new WebSocket(`ws://${HOST}:${String(port)}`, plain);
      await once(ws, 'open');
      return createWebSocketStream(ws);
    },
  },
  {
    name: 'net.Socket (TCP)',
    listen(onConnection) {
      return portOf(net.createServer(onConnection).listen(0, HOST));
    },
    async open(port) {
      const socket = net.connect(port, HOST).setNoDelay(true);
      await once(socket, 'connect');
      return socket;
    },
  },
];

export function contender(name: string | undefined): Contender {
  const found = contenders.find((one) => one.name === name);
  if (!found) throw new Error(`no contender is called ${String(name)}`);
  return found;
}
