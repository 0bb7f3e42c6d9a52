import { once } from 'node:events';
import type { Duplex } from 'node:stream';

import type { Stream } from '@libp2p/interface';
import { Client, Server } from 'yamux-js';

import { join } from '../../src/index.ts';
import { YamuxSession } from '../../src/yamux/index.ts';
import { libp2pMuxer } from '../../test/interop/libp2p-peer.ts';
import type { BenchStream, Contestant } from './contestant.ts';
import { rawWs } from './raw-ws.ts';
import { adapter, resumable, tcp, type Transport, webSocketStream } from './transports.ts';

function ofDuplex(stream: Duplex, forward: BenchStream['forward']): BenchStream {
  // Each round ends by destroying the transport.
  stream.on('error', () => undefined);
  return {
    write: (chunk) => stream.write(chunk),
    onDrain: (listener) => stream.on('drain', listener),
    onData: (listener) =>
      stream.on('data', (chunk: Buffer) => {
        listener(chunk.length, chunk);
      }),
    forward,
  };
}

function joined(stream: Duplex): BenchStream {
  return ofDuplex(stream, (source) => {
    join(source, stream).catch(() => undefined);
  });
}

function piped(stream: Duplex): BenchStream {
  return ofDuplex(stream, (source) => {
    source.pipe(stream).pipe(source);
  });
}

function ofLibp2p(stream: Stream): BenchStream {
  return {
    write: (chunk) => stream.send(chunk),
    onDrain: (listener) => {
      stream.addEventListener('drain', listener);
    },
    onData: (listener) => {
      stream.addEventListener('message', ({ data }) => {
        listener(data.byteLength, Buffer.from(data.subarray(0, Math.min(32, data.byteLength))));
      });
    },
    forward() {
      throw new Error('not measured');
    },
  };
}

/** How both ends make streams of a transport. */
interface Muxer {
  serve(transport: Duplex, onStream: (stream: BenchStream) => void): void;
  client(transport: Duplex): () => Promise<BenchStream>;
}

function over(transport: Transport, muxer: Muxer, name: string): Contestant {
  return {
    name,
    listen: (onStream) =>
      transport.listen((duplex) => {
        duplex.on('error', () => undefined);
        muxer.serve(duplex, onStream);
      }),
    async connect(port) {
      const duplex = await transport.open(port);
      duplex.on('error', () => undefined);
      return { open: muxer.client(duplex), close: () => duplex.destroy() };
    },
  };
}

/** The transport by itself, which is one stream. */
function bare(transport: Transport, make: (duplex: Duplex) => BenchStream): Contestant {
  const muxer: Muxer = {
    serve(duplex, onStream) {
      onStream(make(duplex));
    },
    client: (duplex) => () => Promise.resolve(make(duplex)),
  };
  return over(transport, muxer, transport.name);
}

const yamux: Muxer = {
  serve(transport, onStream) {
    new YamuxSession(transport, { role: 'server' })
      .on('error', () => undefined)
      .on('stream', (stream) => {
        onStream(joined(stream));
      });
  },
  client(transport) {
    const session = new YamuxSession(transport, { role: 'client' }).on('error', () => undefined);
    return async () => {
      const stream = session.open();
      await once(stream, 'connect');
      return joined(stream);
    };
  },
};

const yamuxJs: Muxer = {
  serve(transport, onStream) {
    const server = new Server(
      (stream) => {
        onStream(piped(stream));
      },
      { enableKeepAlive: false },
    );
    transport.pipe(server).pipe(transport);
  },
  client(transport) {
    const client = new Client({ enableKeepAlive: false });
    transport.pipe(client).pipe(transport);
    return () => Promise.resolve(piped(client.open()));
  },
};

const libp2p: Muxer = {
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

const bareAdapter = bare(adapter, joined);

/** Ours first. */
export const transports: readonly Contestant[] = [
  bareAdapter,
  rawWs,
  bare(webSocketStream, piped),
  bare(tcp, piped),
];

/** What it costs that a connection may outlive its WebSocket. */
export const resumed: readonly Contestant[] = [bare(resumable, joined), bareAdapter];

export const muxers: readonly Contestant[] = [
  over(adapter, yamux, 'ws-conn-adapter/yamux'),
  bareAdapter,
  // It loses a header that is cut in two, so that each of its frames has to come in a message of
  // its own.
  over(webSocketStream, yamuxJs, 'yamux-js'),
  over(adapter, libp2p, '@libp2p/yamux'),
];

export function contestant(name: string | undefined): Contestant {
  const found = [...transports, ...resumed, ...muxers].find((one) => one.name === name);
  if (!found) throw new Error(`no contestant is called ${String(name)}`);
  return found;
}
