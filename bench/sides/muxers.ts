import { once } from 'node:events';

import type { Stream } from '@libp2p/interface';
import { Client, Server } from 'yamux-js';

import { YamuxSession } from '../../src/yamux/index.ts';
import { libp2pMuxer } from '../../test/interop/libp2p-peer.ts';
import type { BenchStream, Contestant } from './contestant.ts';
import { joined, type Muxer, over, piped } from './duplex-stream.ts';
import { adapter, webSocketStream } from './transports.ts';

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

export const muxers: readonly Contestant[] = [
  over(adapter, yamux, 'ws-conn-adapter/yamux'),
  // It loses a header that is cut in two, so that each of its frames has to come in a message of
  // its own.
  over(webSocketStream, yamuxJs, 'yamux-js'),
  over(adapter, libp2p, '@libp2p/yamux'),
];
