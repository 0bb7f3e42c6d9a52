import { once } from 'node:events';
import type net from 'node:net';
import type { Duplex } from 'node:stream';

import type { Stream } from '@libp2p/interface';
import { createWebSocketStream, WebSocket, WebSocketServer } from 'ws';
import { Client, Server } from 'yamux-js';

import { connect, createServer } from '../../src/index.ts';
import { YamuxSession } from '../../src/yamux/index.ts';
import { libp2pMuxer } from '../../test/interop/libp2p-peer.ts';

/** What a measurement asks of a stream, the least that all muxers have. */
export interface BenchStream {
  /** Whether more may be written at once. */
  write(chunk: Buffer): boolean;
  onDrain(listener: () => void): void;
  onData(listener: (length: number, chunk: Buffer) => void): void;
}

export interface Muxer {
  readonly name: string;
  /** Whether it loses a header that is cut in two, so that each frame has to come in a message of its own. */
  readonly wantsWhole?: boolean;
  /** By how much less it is given to carry, where it is so slow that the others would wait for minutes. */
  readonly slowness: number;
  /** Whether it takes part where a delay is put between. */
  readonly delayed: boolean;
  serve(transport: Duplex, onStream: (stream: BenchStream) => void): void;
  /** Takes the client's end; gives what opens streams. */
  client(transport: Duplex): () => Promise<BenchStream>;
}

function ofDuplex(stream: Duplex): BenchStream {
  // Each round ends by destroying the transport.
  stream.on('error', () => undefined);
  return {
    write: (chunk) => stream.write(chunk),
    onDrain: (listener) => stream.on('drain', listener),
    onData: (listener) =>
      stream.on('data', (chunk: Buffer) => {
        listener(chunk.length, chunk);
      }),
  };
}

function ofLibp2p(stream: Stream): BenchStream {
  return {
    write: (chunk) => stream.send(chunk),
    onDrain: (listener) => {
      stream.addEventListener('drain', listener);
    },
    onData: (listener) => {
      stream.addEventListener('message', ({ data }) => {
        listener(data.byteLength, Buffer.from(data.subarray(0, Math.min(16, data.byteLength))));
      });
    },
  };
}

export const OURS = 'ws-conn-adapter/yamux';
export const BARE = 'the bare adapter';

export const muxers: readonly Muxer[] = [
  {
    name: OURS,
    slowness: 1,
    delayed: true,
    serve(transport, onStream) {
      new YamuxSession(transport, { role: 'server' })
        .on('error', () => undefined)
        .on('stream', (stream) => {
          onStream(ofDuplex(stream));
        });
    },
    client(transport) {
      const session = new YamuxSession(transport, { role: 'client' }).on('error', () => undefined);
      return async () => {
        const stream = session.open();
        await once(stream, 'connect');
        return ofDuplex(stream);
      };
    },
  },
  {
    name: BARE,
    slowness: 1,
    delayed: true,
    serve(transport, onStream) {
      onStream(ofDuplex(transport));
    },
    client: (transport) => () => Promise.resolve(ofDuplex(transport)),
  },
  {
    name: 'yamux-js',
    wantsWhole: true,
    slowness: 64,
    delayed: false,
    serve(transport, onStream) {
      const server = new Server(
        (stream) => {
          onStream(ofDuplex(stream));
        },
        { enableKeepAlive: false },
      );
      transport.pipe(server).pipe(transport);
    },
    client(transport) {
      const client = new Client({ enableKeepAlive: false });
      transport.pipe(client).pipe(transport);
      return () => Promise.resolve(ofDuplex(client.open()));
    },
  },
  {
    name: '@libp2p/yamux',
    slowness: 2,
    delayed: false,
    serve(transport, onStream) {
      libp2pMuxer(transport, 'inbound').addEventListener('stream', (event) => {
        onStream(ofLibp2p(event.detail));
      });
    },
    client(transport) {
      const muxer = libp2pMuxer(transport, 'outbound');
      return async () => ofLibp2p(await muxer.createStream());
    },
  },
];

export function muxer(name: string | undefined): Muxer {
  const found = muxers.find((one) => one.name === name);
  if (!found) throw new Error(`no muxer is called ${String(name)}`);
  return found;
}

const HOST = '127.0.0.1';

/** Listens on a free port of loopback, and serves every stream of every WebSocket; gives the port. */
export async function listen(to: Muxer, onStream: (stream: BenchStream) => void): Promise<number> {
  const onTransport = (transport: Duplex): void => {
    transport.on('error', () => undefined);
    to.serve(transport, onStream);
  };
  const server = to.wantsWhole
    ? new WebSocketServer({ port: 0, host: HOST }).on('connection', (ws) => {
        onTransport(createWebSocketStream(ws));
      })
    : createServer(onTransport).listen(0, HOST);
  await once(server, 'listening');
  return (server.address() as net.AddressInfo).port;
}

/** Opens a WebSocket of the kind that the muxer can work with. */
export async function dial(to: Muxer, port: string): Promise<Duplex> {
  const url = `ws://${HOST}:${port}`;
  if (to.wantsWhole) {
    const ws = new WebSocket(url, { perMessageDeflate: false });
    await once(ws, 'open');
    return createWebSocketStream(ws);
  }
  const transport = connect(url);
  await once(transport, 'connect');
  return transport;
}
