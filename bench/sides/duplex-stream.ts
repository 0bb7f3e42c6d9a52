import { once } from 'node:events';
import type { Duplex } from 'node:stream';

import { join } from '../../src/index.ts';
import type { BenchStream, Contestant } from './contestant.ts';
import type { Transport } from './transports.ts';

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

/** A stream that is forwarded by join(). */
export function joined(stream: Duplex): BenchStream {
  return ofDuplex(stream, (source) => {
    join(source, stream).catch(() => undefined);
  });
}

/** A stream that is forwarded by pipe(). */
export function piped(stream: Duplex): BenchStream {
  return ofDuplex(stream, (source) => {
    source.pipe(stream).pipe(source);
  });
}

/** How both ends make streams of a transport. */
export interface Muxer {
  serve(transport: Duplex, onStream: (stream: BenchStream) => void): void;
  client(transport: Duplex): () => Promise<BenchStream>;
}

/** Streams in the connections of a transport. */
export function over(transport: Transport, muxer: Muxer, name: string): Contestant {
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
      return {
        open: muxer.client(duplex),
        async end() {
          duplex.end();
          await once(duplex, 'close');
        },
        close: () => duplex.destroy(),
      };
    },
  };
}

/** The transport by itself, which is one stream. */
export function bare(transport: Transport, make: (duplex: Duplex) => BenchStream): Contestant {
  const muxer: Muxer = {
    serve(duplex, onStream) {
      onStream(make(duplex));
    },
    client: (duplex) => () => Promise.resolve(make(duplex)),
  };
  return over(transport, muxer, transport.name);
}
