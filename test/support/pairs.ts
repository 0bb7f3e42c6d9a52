import net, { type AddressInfo } from 'node:net';

import { WebSocket, WebSocketServer } from 'ws';

import { WsConnAdapter, type WsConnAdapterOptions } from '../../src/adapter.ts';
import { MAX_DELAY } from '../../src/check-option.ts';
import { closeOf } from './events.ts';

/** Options that every kind of pair takes, for both ends alike. */
export interface PairOptions {
  readonly allowHalfOpen?: boolean;
  readonly readableHighWaterMark?: number;
  readonly writableHighWaterMark?: number;
  /** For the end `a` only. */
  readonly signal?: AbortSignal;
}

/** Two connected ends; `stop()` destroys what is left of them and resolves when nothing is. */
export interface Pair<A, B = A> {
  readonly a: A;
  readonly b: B;
  stop(): Promise<void>;
}

/** A server that `open()` connects to: it gives a new end at once, still connecting. */
export interface Dialler<T> {
  open(options?: PairOptions): T;
  stop(): Promise<void>;
}

async function portOf(server: net.Server | WebSocketServer): Promise<number> {
  if (server.address() === null) await new Promise((resolve) => server.once('listening', resolve));
  return (server.address() as AddressInfo).port;
}

async function stopAll(server: net.Server | WebSocketServer, ends: Iterable<net.Socket>): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    server.close(() => {
      resolve();
    });
  });
  const ended = Array.from(ends, (end) => {
    const close = closeOf(end);
    end.destroy();
    return close;
  });
  await Promise.all(ended);
  await closed;
}

function isConnected(end: net.Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    end.once('connect', resolve);
    end.once('error', reject);
    end.once('connect', () => end.off('error', reject));
  });
}

/** Makes a TCP pair over the loopback interface: `a` connected, `b` accepted. The control of everything else. */
export async function tcpPair(options: PairOptions = {}): Promise<Pair<net.Socket>> {
  const { signal: _signal, ...accepting } = options;
  const server = net.createServer(accepting).listen(0, '127.0.0.1');
  const accepted = new Promise<net.Socket>((resolve) => server.once('connection', resolve));
  const a = net.connect({ port: await portOf(server), host: '127.0.0.1', ...options });
  await isConnected(a);
  const b = await accepted;
  return { a, b, stop: () => stopAll(server, [a, b]) };
}

/** Makes a TCP server whose `open()` connects a new socket; what the server accepts is read to its end and dropped. */
export async function tcpDialler(): Promise<Dialler<net.Socket>> {
  const ends = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    ends.add(socket);
    socket.on('error', () => undefined).resume();
  });
  server.listen(0, '127.0.0.1');
  const port = await portOf(server);
  return {
    open: (options = {}) => {
      const end = net.connect({ port, host: '127.0.0.1', ...options });
      ends.add(end);
      return end;
    },
    stop: () => stopAll(server, ends),
  };
}

/** As connect() and createServer() set ws up: no compression, and time limits left to the adapter (@types/ws lacks closeTimeout). */
const wsOptions: { perMessageDeflate: boolean } = Object.assign(
  { perMessageDeflate: false },
  { closeTimeout: MAX_DELAY },
);

function listen(): WebSocketServer {
  return new WebSocketServer({ port: 0, host: '127.0.0.1', ...wsOptions });
}

function dial(port: number): WebSocket {
  return new WebSocket(`ws://127.0.0.1:${String(port)}`, wsOptions);
}

/** Makes a connected pair of adapters: `a` over the client's WebSocket, `b` over the server's. */
export async function adapterPair(options: WsConnAdapterOptions = {}): Promise<Pair<WsConnAdapter>> {
  const { signal: _signal, ...accepting } = options;
  const server = listen();
  const accepted = new Promise<WsConnAdapter>((resolve) => {
    server.once('connection', (ws) => {
      resolve(new WsConnAdapter(ws, accepting));
    });
  });
  const a = new WsConnAdapter(dial(await portOf(server)), options);
  await isConnected(a);
  const b = await accepted;
  return { a, b, stop: () => stopAll(server, [a, b]) };
}

/** Makes a WebSocket server whose `open()` connects a new adapter; what the server accepts is read to its end and dropped. */
export async function adapterDialler(common: WsConnAdapterOptions = {}): Promise<Dialler<WsConnAdapter>> {
  const ends = new Set<WsConnAdapter>();
  const server = listen();
  server.on('connection', (ws) => {
    const end = new WsConnAdapter(ws, common);
    ends.add(end);
    end.on('error', () => undefined).resume();
  });
  const port = await portOf(server);
  return {
    open: (options = {}) => {
      const end = new WsConnAdapter(dial(port), { ...common, ...options });
      ends.add(end);
      return end;
    },
    stop: () => stopAll(server, ends),
  };
}

/** A bare ws client, to send what an adapter never would, against the adapter of the server. */
export interface RawPair {
  readonly ws: WebSocket;
  readonly adapter: WsConnAdapter;
  stop(): Promise<void>;
}

/** Connects a bare ws client to an adapter on the server side; the client's errors count as handled. */
export async function rawClientPair(options: WsConnAdapterOptions = {}): Promise<RawPair> {
  const server = listen();
  const accepted = new Promise<WsConnAdapter>((resolve) => {
    server.once('connection', (ws) => {
      resolve(new WsConnAdapter(ws, options));
    });
  });
  const ws = dial(await portOf(server));
  ws.on('error', () => undefined);
  const gone = new Promise<void>((resolve) => {
    ws.once('close', () => {
      resolve();
    });
  });
  await new Promise((resolve) => ws.once('open', resolve));
  const adapter = await accepted;
  return {
    ws,
    adapter,
    stop: async () => {
      ws.terminate();
      await stopAll(server, [adapter]);
      await gone;
    },
  };
}

/** Gives the same pairs with the ends exchanged, so that a suite sees both roles of each. */
export function swapped<T>(
  makePair: (options?: PairOptions) => Promise<Pair<T>>,
): (options?: PairOptions) => Promise<Pair<T>> {
  return async (options) => {
    const pair = await makePair(options);
    return { a: pair.b, b: pair.a, stop: () => pair.stop() };
  };
}
