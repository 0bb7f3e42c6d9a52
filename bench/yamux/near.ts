/**
 * The near end of a measurement, in a process of its own: `node --import tsx bench/yamux/near.ts MUXER PORT`. For each line
 * `STREAMS BYTES SIZE` it opens a WebSocket and as many streams, fills each with as many bytes in writes of that size, and
 * prints the MB/s until the far end has all of them.
 */
import { createInterface } from 'node:readline';

import { type BenchStream, dial, muxer } from './muxers.ts';

const HEAD = 16;

/** Writes as fast as the stream takes it, and resolves when the far end has all of it. */
async function fill(stream: BenchStream, size: number, bytes: number): Promise<void> {
  const chunk = Buffer.alloc(size, 'x');
  let left = bytes;
  const write = (): void => {
    while (left > 0) {
      left -= size;
      if (!stream.write(chunk)) return;
    }
  };
  const done = new Promise<void>((resolve) => {
    stream.onData(() => {
      resolve();
    });
  });
  stream.onDrain(write);
  stream.write(Buffer.from(`sink ${String(bytes)}`.padEnd(HEAD)));
  write();
  await done;
}

const [name, port = ''] = process.argv.slice(2);
const contestant = muxer(name);

async function measure(streams: number, bytes: number, size: number): Promise<number> {
  const transport = await dial(contestant, port);
  transport.on('error', () => undefined);
  const open = contestant.client(transport);
  const opened = await Promise.all(Array.from({ length: streams }, open));
  const before = performance.now();
  await Promise.all(opened.map((stream) => fill(stream, size, bytes)));
  const ms = performance.now() - before;
  transport.destroy();
  return (streams * bytes) / 1000 / ms;
}

for await (const line of createInterface({ input: process.stdin })) {
  const [streams = 0, bytes = 0, size = 0] = line.split(' ').map(Number);
  console.log(String(await measure(streams, bytes, size)));
}
process.exit();
