import { Duplex } from 'node:stream';

import { closeOf } from '../support/events.ts';
import { adapterPair, type Pair, type PairOptions, tcpPair } from '../support/pairs/pairs.ts';
import { resumablePair } from '../support/pairs/resumable-pair.ts';
import { memoryPair, overAdapter, streamPair } from '../yamux/pairs.ts';

/** An end in memory that brings the other one each byte in a chunk of its own. */
class ByteEnd extends Duplex {
  other: ByteEnd | undefined;

  constructor(options: PairOptions) {
    super({ ...options, highWaterMark: 4 });
  }

  override _read(): void {
    // The other end pushes.
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: () => void): void {
    for (const byte of chunk) this.other?.push(Buffer.of(byte));
    callback();
  }

  override _final(callback: () => void): void {
    this.other?.push(null);
    callback();
  }
}

function bytePair(options: PairOptions = {}): Promise<Pair<Duplex>> {
  const [a, b] = [new ByteEnd(options), new ByteEnd(options)];
  [a.other, b.other] = [b, a];
  const stop = async (): Promise<void> => {
    a.destroy();
    b.destroy();
    await Promise.all([closeOf(a), closeOf(b)]);
  };
  return Promise.resolve({ a, b, stop });
}

function resumable({ signal: _signal, ...options }: PairOptions = {}): Promise<Pair<Duplex>> {
  return resumablePair(options);
}

/** Every kind of stream that a protocol is agreed on over. */
export const kinds: readonly {
  readonly name: string;
  readonly make: (options?: PairOptions) => Promise<Pair<Duplex>>;
}[] = [
  { name: 'a pair in memory', make: () => memoryPair() },
  { name: 'a pair with a byte a chunk', make: bytePair },
  { name: 'TCP', make: tcpPair },
  { name: 'an adapter', make: adapterPair },
  { name: 'an adapter that outlives its WebSocket', make: (options) => resumable(options) },
  { name: 'a yamux stream in memory', make: (options) => streamPair(options) },
  { name: 'a yamux stream over an adapter', make: (options) => streamPair(options, overAdapter) },
];
