import { once } from 'node:events';
import type { Duplex } from 'node:stream';

import type { Stream } from '@libp2p/interface';
import { Client, Server } from 'yamux-js';

import { YamuxSession } from '../../src/yamux/index.ts';
import { libp2pMuxer } from '../../test/interop/libp2p-peer.ts';
import { adapter, resumable, tcp, type Transport, webSocketStream } from './transports.ts';

/** What a measurement asks of a stream, the least that all have. */
export interface BenchStream {
  /** Whether more may be written at once. */
  write(chunk: Buffer): boolean;
  onDrain(listener: () => void): void;
  onData(listener: (length: number, chunk: Buffer) => void): void;
}

/** One way to carry streams: how both ends make them of a transport. */
export interface Contestant {
  readonly name: string;
  readonly transport: Transport;
  serve(transport: Duplex, onStream: (stream: BenchStream) => void): void;
  /** Takes the client's end; returns what opens streams. */
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

/** The transport by itself, which is one stream. */
function bare(transport: Transport): Contestant {
  return {
    name: transport.name,
    transport,
    serve(duplex, onStream) {
      onStream(ofDuplex(duplex));
    },
    client: (duplex) => () => Promise.resolve(ofDuplex(duplex)),
  };
}

const yamux: Contestant = {
  name: 'ws-conn-adapter/yamux',
  transport: adapter,
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
};

const yamuxJs: Contestant = {
  name: 'yamux-js',
  // It loses a header that is cut in two, so that each of its frames has to come in a message of
  // its own.
  transport: webSocketStream,
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
};

const libp2p: Contestant = {
  name: '@libp2p/yamux',
  transport: adapter,
  serve(transport, onStream) {
    libp2pMuxer(transport, 'inbound').addEventListener('stream', (event) => {
      onStream(ofLibp2p(event.detail));
    });
  },
  client(transport) {
    const muxer = libp2pMuxer(transport, 'outbound');
    return async () => ofLibp2p(await muxer.createStream());
  },
};

export const BARE = bare(adapter);
export const transports: readonly Contestant[] = [BARE, bare(webSocketStream), bare(tcp)];
/** What it costs that a connection may outlive its WebSocket. */
export const resumed: readonly Contestant[] = [BARE, bare(resumable)];
export const muxers: readonly Contestant[] = [yamux, BARE, yamuxJs, libp2p];

export function contestant(name: string | undefined): Contestant {
  const found = [...transports, ...resumed, ...muxers].find((one) => one.name === name);
  if (!found) throw new Error(`no contestant is called ${String(name)}`);
  return found;
}
