import net, { type AddressInfo } from 'node:net';

import {
  connect,
  createServer,
  type CreateServerOptions,
  type WsConnAdapter,
  type WsConnAdapterOptions,
  type WsConnServer,
} from '../../../src/index.ts';
import { closeOf, next } from '../events.ts';

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

/** A server that `open()` connects to. It returns a new end at once, still connecting. */
export interface Dialler<T> {
  open(options?: PairOptions): T;
  stop(): Promise<void>;
}

type Server = net.Server | WsConnServer;

async function portOf(server: Server): Promise<number> {
  if (!server.listening) await next(server, 'listening');
  return (server.address() as AddressInfo).port;
}

async function stopAll(server: Server, ends: Iterable<net.Socket>): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    void server.close(() => {
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

/**
 * Makes a TCP pair over the loopback interface: `a` connected, `b` accepted. The control of
 * everything else.
 */
export async function tcpPair(options: PairOptions = {}): Promise<Pair<net.Socket>> {
  const { signal: _signal, ...accepting } = options;
  const server = net.createServer(accepting).listen(0, '127.0.0.1');
  const accepted = new Promise<net.Socket>((resolve) => server.once('connection', resolve));
  const a = net.connect({ port: await portOf(server), host: '127.0.0.1', ...options });
  await isConnected(a);
  const b = await accepted;
  return { a, b, stop: () => stopAll(server, [a, b]) };
}

/**
 * Makes a TCP server whose `open()` connects a new socket; what the server accepts is read to its
 * end and dropped.
 */
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

type AdapterPairOptions = Omit<WsConnAdapterOptions, 'signal'> & { readonly signal?: AbortSignal };

/** Starts a server of this package on a free port of the loopback interface. */
export async function listen(
  options: CreateServerOptions,
): Promise<{ server: WsConnServer; port: number; url: string }> {
  const server = createServer(options).listen(0, '127.0.0.1');
  const port = await portOf(server);
  return { server, port, url: `ws://127.0.0.1:${String(port)}` };
}

/**
 * Makes a connected pair of adapters with connect() and createServer(): `a` is the client, `b` the
 * server. They agree on half close unless the option `halfClose` says otherwise.
 */
export async function adapterPair(options: AdapterPairOptions = {}): Promise<Pair<WsConnAdapter>> {
  const { signal: _signal, ...accepting } = options;
  const { server, url } = await listen(accepting);
  const accepted = new Promise<WsConnAdapter>((resolve) => server.once('connection', resolve));
  const a = connect(url, options);
  await isConnected(a);
  const b = await accepted;
  return { a, b, stop: () => stopAll(server, [a, b]) };
}

/**
 * Makes a server whose `open()` connects a new adapter; what the server accepts is read to its end
 * and dropped.
 */
export async function adapterDialler(
  common: AdapterPairOptions = {},
): Promise<Dialler<WsConnAdapter>> {
  const { signal: _signal, ...accepting } = common;
  const ends = new Set<WsConnAdapter>();
  const { server, url } = await listen(accepting);
  server.on('connection', (end) => {
    ends.add(end);
    end.on('error', () => undefined).resume();
  });
  return {
    open: (options = {}) => {
      const end = connect(url, { ...common, ...options });
      ends.add(end);
      return end;
    },
    stop: () => stopAll(server, ends),
  };
}

/** Returns the same pairs with the ends exchanged, so that a suite sees both roles of each. */
export function swapped<T>(
  makePair: (options?: PairOptions) => Promise<Pair<T>>,
): (options?: PairOptions) => Promise<Pair<T>> {
  return async (options) => {
    const pair = await makePair(options);
    return { a: pair.b, b: pair.a, stop: () => pair.stop() };
  };
}
