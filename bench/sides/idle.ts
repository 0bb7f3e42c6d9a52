import { once } from 'node:events';
import net from 'node:net';

import { createWebSocketStream, WebSocket, WebSocketServer } from 'ws';

import { connect, createServer, type SocketDuplex } from '../../src/index.ts';
import { HOST, portOf } from './transports.ts';

/** Time in ms between two pings; null for no keepalive at all. */
export type Interval = number | null;

/** One kind of idle connection, as its users would write it. */
export interface IdleKind {
  readonly name: string;
  listen(interval: Interval): Promise<number>;
  /** Opens one; returns what is to be kept of it. */
  connect(port: number, interval: Interval): Promise<object>;
}

/** Handshakes that may wait at the kernel: many are under way at once. */
const BACKLOG = 4_096;

const ignore = (): void => undefined;
/** How much longer than its interval a client waits for a ping, as in the documentation of ws. */
const GRACE = 1_000;

/** The adapter, with or without `resume`. */
function adapter(name: string, resume: boolean): IdleKind {
  return {
    name,
    listen(interval) {
      const keepalive = interval !== null && { interval };
      // The others have no limit either.
      const options = { keepalive, resume, maxConnections: Infinity };
      const server = createServer(options, (socket: SocketDuplex) => {
        socket.on('error', ignore).on('data', ignore);
      });
      return portOf(server.listen({ port: 0, host: HOST, backlog: BACKLOG }));
    },
    async connect(port, interval) {
      const keepalive = interval !== null && { interval };
      const socket = connect(`ws://${HOST}:${String(port)}`, { keepalive, resume });
      socket.on('error', ignore).on('data', ignore);
      await once(socket, 'connect');
      return socket;
    },
  };
}

/** The heartbeat of the documentation of ws: the server's end. */
function beat(server: WebSocketServer, interval: number): void {
  const alive = new WeakMap<WebSocket, boolean>();
  server.on('connection', (ws) => {
    alive.set(ws, true);
    ws.on('pong', () => alive.set(ws, true));
  });
  setInterval(() => {
    for (const ws of server.clients) {
      if (alive.get(ws) === false) {
        ws.terminate();
        continue;
      }
      alive.set(ws, false);
      ws.ping();
    }
  }, interval);
}

/** The same at the client. */
function expectBeat(ws: WebSocket, interval: number): void {
  let timer: NodeJS.Timeout | undefined;
  const heartbeat = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      ws.terminate();
    }, interval + GRACE);
  };
  ws.on('open', heartbeat).on('ping', heartbeat);
  ws.on('close', () => {
    clearTimeout(timer);
  });
}

function serveWs(interval: Interval, use: (ws: WebSocket) => void): Promise<number> {
  const server = new WebSocketServer({ port: 0, host: HOST, backlog: BACKLOG });
  if (interval !== null) beat(server, interval);
  server.on('connection', (ws) => {
    ws.on('error', ignore);
    use(ws);
  });
  return portOf(server);
}

async function openWs(port: number, interval: Interval): Promise<WebSocket> {
  const ws = new WebSocket(`ws://${HOST}:${String(port)}`, { perMessageDeflate: false });
  ws.on('error', ignore);
  if (interval !== null) expectBeat(ws, interval);
  await once(ws, 'open');
  return ws;
}

const rawWs: IdleKind = {
  name: 'raw ws',
  listen: (interval) => serveWs(interval, (ws) => ws.on('message', ignore)),
  async connect(port, interval) {
    return (await openWs(port, interval)).on('message', ignore);
  },
};

const webSocketStream: IdleKind = {
  name: 'createWebSocketStream',
  listen: (interval) =>
    serveWs(interval, (ws) => {
      createWebSocketStream(ws).on('error', ignore).on('data', ignore);
    }),
  async connect(port, interval) {
    const stream = createWebSocketStream(await openWs(port, interval));
    return stream.on('error', ignore).on('data', ignore);
  },
};

const tcp: IdleKind = {
  name: 'net.Socket',
  listen(interval) {
    const server = net.createServer((socket) => {
      if (interval !== null) socket.setKeepAlive(true, interval);
      socket.on('error', ignore).on('data', ignore);
    });
    return portOf(server.listen({ port: 0, host: HOST, backlog: BACKLOG }));
  },
  async connect(port, interval) {
    const socket = net.connect(port, HOST).on('error', ignore).on('data', ignore);
    await once(socket, 'connect');
    return interval === null ? socket : socket.setKeepAlive(true, interval);
  },
};

/** Ours first. */
export const idleKinds: readonly IdleKind[] = [
  adapter('ws-conn-adapter', false),
  rawWs,
  webSocketStream,
  tcp,
  adapter('ws-conn-adapter, resume', true),
];
