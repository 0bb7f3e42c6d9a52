import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { Duplex, duplexPair, PassThrough } from 'node:stream';

import { createWebSocketStream, WebSocket, WebSocketServer } from 'ws';

import {
  type CheckOptions,
  type MakePair,
  type PairOptions,
  type SocketFeatures,
  type SocketPair,
} from '../../src/conformance/index.ts';
import { adapterDialler, adapterPair, tcpDialler, tcpPair } from '../support/pairs/pairs.ts';
import { resumableDialler, resumablePair } from '../support/pairs/resumable.ts';
import { overAdapter, streamDialler, streamPair } from '../yamux/pairs.ts';

/** One column of the table in docs/conformance.md. */
export interface Column {
  /** Its head, in Markdown. */
  readonly head: string;
  readonly makePair: MakePair;
  readonly options: CheckOptions;
}

/** Makes two ends of ws's own stream, over a WebSocket on the loopback interface. */
async function webSocketStreams(options: PairOptions = {}): Promise<SocketPair> {
  const { signal, allowHalfOpen = false } = options;
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const connection = once(server, 'connection');
  const client = new WebSocket(`ws://127.0.0.1:${String(port)}`);
  await once(client, 'open');
  const [accepted] = (await connection) as [WebSocket];
  const a = createWebSocketStream(client, { allowHalfOpen, signal });
  const b = createWebSocketStream(accepted, { allowHalfOpen });
  const stop = async (): Promise<void> => {
    client.terminate();
    accepted.terminate();
    await new Promise((resolve) => {
      server.close(resolve);
    });
  };
  return { a, b, stop };
}

function duplexes({ allowHalfOpen = false }: PairOptions = {}): SocketPair {
  const [a, b] = duplexPair({ allowHalfOpen });
  return { a, b };
}

/** Makes two ends of two PassThroughs, one for each direction. */
function passThroughs({ allowHalfOpen = false }: PairOptions = {}): SocketPair {
  const [there, back] = [new PassThrough(), new PassThrough()];
  const endOf = (readable: PassThrough, writable: PassThrough): Duplex => {
    const end = Duplex.from({ readable, writable });
    end.allowHalfOpen = allowHalfOpen;
    return end;
  };
  return { a: endOf(back, there), b: endOf(there, back) };
}

/** What makes no sense where there is half close. */
const features: SocketFeatures = { endsBoth: false };
/** Where a socket is claimed, all cases look at what only sockets have, too. */
const socket: SocketFeatures = { face: true, idleTimeout: true, reset: true, destroySoon: true };
const adapter: SocketFeatures = { ...socket, cuts: true, errored: true, close: true };

/** The columns of the table. What is not claimed of them is tried too. */
export const columns: readonly Column[] = [
  {
    head: '`net.Socket`',
    makePair: tcpPair,
    options: { features: { ...features, ...socket }, makeDialler: tcpDialler },
  },
  {
    head: 'adapter',
    makePair: (options) => adapterPair(options),
    options: { features: { ...features, ...adapter }, makeDialler: () => adapterDialler() },
  },
  {
    head: 'adapter, no half close',
    makePair: (options) => adapterPair({ ...options, halfClose: false }),
    options: { features: adapter, makeDialler: () => adapterDialler({ halfClose: false }) },
  },
  {
    head: 'with `resume`',
    makePair: (options) => resumablePair(options),
    options: { features: { ...features, ...adapter }, makeDialler: resumableDialler },
  },
  {
    head: 'yamux stream',
    makePair: (options) => streamPair(options, overAdapter),
    options: {
      features: { ...features, ...adapter },
      mostBuffered: 1024 * 1024,
      makeDialler: streamDialler,
    },
  },
  { head: '`createWebSocketStream()`', makePair: webSocketStreams, options: {} },
  {
    head: '`duplexPair()`',
    makePair: duplexes,
    options: { features: { ...features, signal: false } },
  },
  {
    head: 'two `PassThrough`s',
    makePair: passThroughs,
    options: { features: { ...features, signal: false } },
  },
];
