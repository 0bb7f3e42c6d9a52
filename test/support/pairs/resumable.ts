import type { AddressInfo } from 'node:net';

import {
  connect,
  type ConnectOptions,
  createServer,
  type CreateServerOptions,
  ResumableSocket,
  type WsConnAdapter,
  type WsConnServer,
} from '../../../src/index.ts';
import { closeOf, next } from '../events.ts';
import { HarassingRelay } from '../links/harassing-relay.ts';
import type { Dialler, Pair, PairOptions } from './pairs.ts';

/** What connections go through, from the port of the server. */
interface PathKind {
  /** Bytes that either side keeps; the default where left out. */
  readonly window?: number;
  readonly lay: (port: number) => Promise<Path>;
}

interface Path {
  readonly url: string;
  /** Disturbs nobody any more. */
  relent(): void;
  stop(): Promise<void>;
}

/** A path that leaves them alone. */
export const wholePath: PathKind = {
  lay: (port) =>
    Promise.resolve({
      url: `ws://127.0.0.1:${String(port)}`,
      relent: () => undefined,
      stop: () => Promise.resolve(),
    }),
};

/** Time in ms that an end may take, over a path on which it takes several WebSockets. */
const END_TIMEOUT = 20_000;

let seed = 0;

/**
 * Bytes of the window over a path that is cut: little, so that its borders are met all the time, but
 * more than a case writes before anybody reads.
 */
const SMALL_WINDOW = 262_144;

/** A path that is cut again and again. */
export const cutPath: PathKind = {
  window: SMALL_WINDOW,
  lay: (port) => HarassingRelay.start(port, ++seed),
};

function dial(url: string, options: ConnectOptions, window?: number): ResumableSocket {
  const socket = connect(url, { ...options, resume: { window } });
  if (!(socket instanceof ResumableSocket)) throw new Error('it does not resume');
  return socket;
}

type Server = WsConnServer<WsConnAdapter | ResumableSocket>;

async function listen(
  options: CreateServerOptions,
  window?: number,
): Promise<{ server: Server; port: number }> {
  const server = createServer({ ...options, resume: { window } });
  server.listen(0, '127.0.0.1');
  await next(server, 'listening');
  return { server, port: (server.address() as AddressInfo).port };
}

async function stopAll(server: Server, path: Path, ends: Iterable<ResumableSocket>): Promise<void> {
  path.relent();
  const closed = Array.from(ends, (end) => {
    const close = closeOf(end);
    end.destroy();
    return close;
  });
  await Promise.all(closed);
  await server.close();
  await path.stop();
}

/**
 * Makes a pair of sockets that outlive their WebSockets: `a` the client, `b` the server. Both know
 * it, so that a cut is not the end from now on.
 */
export async function resumablePair(
  { signal, ...options }: PairOptions = {},
  { window, lay }: PathKind = wholePath,
): Promise<Pair<ResumableSocket>> {
  const lasting = { ...options, closeTimeout: END_TIMEOUT };
  const { server, port } = await listen(lasting, window);
  const path = await lay(port);
  const accepted = next(server, 'connection');
  const a = dial(path.url, signal ? { ...lasting, signal } : lasting, window);
  // The first message of the server says that the client's HELLO has come.
  const known = a.ws && next(a.ws, 'message');
  await next(a, 'connect');
  await known;
  const [b] = (await accepted) as [ResumableSocket];
  return { a, b, stop: () => stopAll(server, path, [a, b]) };
}

/**
 * Makes a server whose `open()` connects a new socket that outlives its WebSocket; what the server
 * accepts is read to its end and dropped.
 */
export async function resumableDialler(): Promise<Dialler<ResumableSocket>> {
  const { server, port } = await listen({});
  const path = await wholePath.lay(port);
  const ends = new Set<ResumableSocket>();
  server.on('connection', (end) => {
    ends.add(end as ResumableSocket);
    end.on('error', () => undefined).resume();
  });
  return {
    open: (options = {}) => {
      const end = dial(path.url, options);
      ends.add(end);
      return end;
    },
    stop: () => stopAll(server, path, ends),
  };
}
