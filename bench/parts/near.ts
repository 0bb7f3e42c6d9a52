/**
 * The near end of a measurement, in a process of its own:
 * `node --import tsx bench/parts/near.ts CONTESTANT PORT`. For each line it opens a connection, and
 * prints one figure:
 *
 * - `fill STREAMS BYTES SIZE`: fills as many streams with as many bytes each, in writes of that
 *   size; MB/s of all together until the far end has all of it.
 * - `trips COUNT`: writes one byte and waits for one, again and again; the median time in
 *   microseconds.
 */
import { createInterface } from 'node:readline';
import type { Duplex } from 'node:stream';

import { type BenchStream, contestant } from './contestants.ts';
import { median } from './median.ts';

const HEAD = 16;
const own = contestant(process.argv[2]);
const port = Number(process.argv[3]);

async function connect(streams: number): Promise<{ duplex: Duplex; opened: BenchStream[] }> {
  const duplex = await own.transport.open(port);
  duplex.on('error', () => undefined);
  const open = own.client(duplex);
  return { duplex, opened: await Promise.all(Array.from({ length: streams }, open)) };
}

function announce(stream: BenchStream, bytes: number): void {
  stream.write(Buffer.from(`sink ${String(bytes)}`.padEnd(HEAD)));
}

/** Writes as fast as the stream takes it, and resolves when the far end has all of it. */
async function fillOne(stream: BenchStream, chunk: Buffer, bytes: number): Promise<void> {
  let left = bytes;
  const write = (): void => {
    while (left > 0) {
      left -= chunk.length;
      if (!stream.write(chunk)) return;
    }
  };
  const done = new Promise<void>((resolve) => {
    stream.onData(() => {
      resolve();
    });
  });
  stream.onDrain(write);
  announce(stream, bytes);
  write();
  await done;
}

async function fill(streams: number, bytes: number, size: number): Promise<number> {
  const { duplex, opened } = await connect(streams);
  // One for all: a contestant with one stream is to have no more of it in the cache than one with
  // many.
  const chunk = Buffer.alloc(size, 'x');
  const before = performance.now();
  await Promise.all(opened.map((stream) => fillOne(stream, chunk, bytes)));
  const ms = performance.now() - before;
  duplex.destroy();
  return (streams * bytes) / 1000 / ms;
}

async function trips(count: number): Promise<number> {
  const { duplex, opened } = await connect(1);
  const times: number[] = [];
  for (const stream of opened) {
    let answered = (): void => undefined;
    stream.onData(() => {
      answered();
    });
    announce(stream, 1);
    for (let i = 0; i < count; i++) {
      const before = performance.now();
      await new Promise<void>((resolve) => {
        answered = resolve;
        stream.write(Buffer.from('x'));
      });
      times.push((performance.now() - before) * 1000);
    }
  }
  duplex.destroy();
  return median(times);
}

for await (const line of createInterface({ input: process.stdin })) {
  const [what, ...rest] = line.split(' ');
  const [first = 0, bytes = 0, size = 0] = rest.map(Number);
  console.log(String(what === 'trips' ? await trips(first) : await fill(first, bytes, size)));
}
process.exit();
