import type { BenchStream } from './contestant.ts';

/** Bytes of the line that opens each stream: what the near end asks of the far one. */
const HEAD = 32;

/**
 * - `sink`: the far end answers one byte when it has all of them, and again for each as many more
 * - `pour`: it sends as many
 * - `both`: it does both at once
 * - `echo`: it sends back what comes
 */
export type Request = 'sink' | 'pour' | 'both' | 'echo';

export interface Order {
  readonly request: Request;
  readonly bytes: number;
  /** Bytes of one write. */
  readonly size: number;
}

/** Tells the far end what is wanted, before all other bytes. */
export function announce(stream: BenchStream, { request, bytes, size }: Order): void {
  stream.write(Buffer.from(`${request} ${String(bytes)} ${String(size)}`.padEnd(HEAD)));
}

/** Writes into one stream, as fast as it takes it. */
export class Filler {
  readonly #stream: BenchStream;
  #left = 0;
  #size = 0;

  constructor(stream: BenchStream) {
    this.#stream = stream;
    stream.onDrain(() => {
      this.#write();
    });
  }

  fill({ bytes, size }: Omit<Order, 'request'>): void {
    this.#left = bytes;
    this.#size = size;
    this.#write();
  }

  #write(): void {
    // One for all: a contestant with one stream is to have no more of it in the cache than one with
    // many.
    const chunk = chunkOf(this.#size);
    while (this.#left > 0) {
      this.#left -= chunk.length;
      if (!this.#stream.write(chunk)) return;
    }
  }
}

/**
 * Writes without end, one write a turn of the event loop, as whoever reads a file does. Loopback
 * takes bytes as fast as they are made: a writer that goes on at once on 'drain' lets nobody else
 * have a turn for half a second.
 */
export function pumpInTurn(stream: BenchStream, { size }: Pick<Order, 'size'>): void {
  const chunk = chunkOf(size);
  const write = (): void => {
    if (stream.write(chunk)) setImmediate(write);
  };
  stream.onDrain(() => setImmediate(write));
  write();
}

const chunks = new Map<number, Buffer>();

export function chunkOf(size: number): Buffer {
  const chunk = chunks.get(size) ?? Buffer.alloc(size, 'x');
  chunks.set(size, chunk);
  return chunk;
}

/** Resolves when as many bytes have come. */
export function received(stream: BenchStream, bytes: number): Promise<void> {
  return new Promise((resolve) => {
    let left = bytes;
    stream.onData((length) => {
      left -= length;
      if (left <= 0) resolve();
    });
  });
}

/** Does at the far end what the head of a stream asks for. */
export function obey(stream: BenchStream): void {
  let head = '';
  let order: Order | null = null;
  let left = 0;
  stream.onData((length, chunk) => {
    let bytes = length;
    if (!order) {
      const rest = HEAD - head.length;
      head += chunk.toString('latin1', 0, rest);
      if (head.length < HEAD) return;
      order = parse(head);
      left = order.bytes;
      bytes -= rest;
      if (order.request === 'pour' || order.request === 'both') new Filler(stream).fill(order);
      if (order.request === 'echo' && bytes > 0) stream.write(chunk.subarray(rest));
    } else if (order.request === 'echo') {
      stream.write(chunk);
    }
    if (order.request === 'pour' || order.request === 'echo') return;
    left -= bytes;
    if (left > 0) return;
    left += order.bytes;
    stream.write(Buffer.from('.'));
  });
}

function parse(head: string): Order {
  const [request, bytes, size] = head.trim().split(' ');
  return { request: request as Request, bytes: Number(bytes), size: Number(size) };
}
