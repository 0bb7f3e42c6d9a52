/**
 * The near end of a measurement, in a process of its own: `node near.mjs CONTESTANT PORT`. For each
 * line it opens connections, and prints figures as JSON:
 *
 * - `sink STREAMS BYTES SIZE`, and `pour` and `both` alike: moves as many bytes in each of as many
 *   streams of one connection, in writes of that size (flow.ts); MB/s of all until they are there.
 * - `open COUNT BYTES SIZE`, `refill COUNT BYTES SIZE`, `close COUNT`: the same as `sink`, in as many
 *   connections, which stay open from one refill to the next.
 * - `cycles COUNT`: opens a connection, has 1 KiB sent back, closes it, and so on; how many a second.
 * - `forward BYTES SIZE`: as `sink`, but what is written comes from another stream.
 * - `trips COUNT`: writes one byte and waits for one, again and again; p50 and p99 in microseconds.
 * - `busy-trips COUNT`: the same while another connection moves bytes, 64 KiB a turn of the event loop.
 * - what both ends answer (usage.ts).
 */
import { createInterface } from 'node:readline';
import { Duplex } from 'node:stream';

import type { BenchStream, Connection } from './contestant.ts';
import { contestant } from './contestants.ts';
import { announce, chunkOf, Filler, type Order, pumpInTurn, received } from './flow.ts';
import { quantile } from '../parts/statistics.ts';
import { answerOfBoth } from './usage.ts';

const own = await contestant(process.argv[2]);
const port = Number(process.argv[3]);

function times<T>(count: number, make: () => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: count }, make));
}

/** Moves what is ordered in each of the streams; MB/s of all together. */
async function rate(
  streams: readonly BenchStream[],
  order: Order,
  start: (stream: BenchStream) => void,
): Promise<{ rate: number }> {
  const { request, bytes } = order;
  // Where the far end only takes, and at its end, it says so in one byte.
  const answer = { sink: 1, pour: bytes, both: bytes + 1, echo: bytes }[request];
  const before = performance.now();
  await Promise.all(
    streams.map((stream) => {
      const done = received(stream, answer);
      announce(stream, order);
      start(stream);
      return done;
    }),
  );
  const moved = streams.length * bytes * (request === 'both' ? 2 : 1);
  return { rate: moved / 1000 / (performance.now() - before) };
}

async function move(streams: number, order: Order): Promise<object> {
  const connection = await own.connect(port);
  const opened = await times(streams, () => connection.open());
  const answer = await rate(opened, order, (stream) => {
    if (order.request !== 'pour') new Filler(stream).fill(order);
  });
  connection.close();
  return answer;
}

/** One of many connections that are kept, and filled again and again. */
interface Kept {
  readonly connection: Connection;
  readonly filler: Filler;
  answered: () => void;
}

const kept = new Map<number, Kept[]>();

async function keep(order: Order): Promise<Kept> {
  const connection = await own.connect(port);
  const stream = await connection.open();
  const one: Kept = { connection, filler: new Filler(stream), answered: () => undefined };
  stream.onData(() => {
    one.answered();
  });
  announce(stream, order);
  return one;
}

async function open(count: number, order: Order): Promise<object> {
  const all: Kept[] = [];
  // In turn: a server's backlog is bounded.
  for (let i = 0; i < count; i++) all.push(await keep(order));
  kept.set(count, all);
  return {};
}

async function refill(count: number, order: Order): Promise<object> {
  const all = kept.get(count) ?? [];
  const before = performance.now();
  await Promise.all(
    all.map(
      (one) =>
        new Promise<void>((resolve) => {
          one.answered = resolve;
          one.filler.fill(order);
        }),
    ),
  );
  return { rate: (all.length * order.bytes) / 1000 / (performance.now() - before) };
}

function close(count: number): object {
  for (const { connection } of kept.get(count) ?? []) connection.close();
  kept.delete(count);
  return {};
}

async function cycles(count: number): Promise<object> {
  const size = 1_024;
  const before = performance.now();
  for (let i = 0; i < count; i++) {
    const connection = await own.connect(port);
    const stream = await connection.open();
    const echoed = received(stream, size);
    announce(stream, { request: 'echo', bytes: size, size });
    stream.write(chunkOf(size));
    await echoed;
    await connection.end();
  }
  return { rate: count / ((performance.now() - before) / 1000) };
}

async function forward(order: Order): Promise<object> {
  const connection = await own.connect(port);
  const answer = await rate([await connection.open()], order, (stream) => {
    stream.forward(source(order));
  });
  connection.close();
  return answer;
}

/** A stream of as many bytes in chunks of that size, which takes what it is sent. */
function source({ bytes, size }: Order): Duplex {
  let left = bytes;
  return new Duplex({
    read() {
      do {
        left -= size;
      } while (left >= 0 && this.push(chunkOf(size)));
    },
    write(_chunk, _encoding, callback) {
      callback();
    },
  });
}

async function trips(count: number): Promise<{ p50: number; p99: number }> {
  const connection = await own.connect(port);
  const stream = await connection.open();
  const taken: number[] = [];
  let answered = (): void => undefined;
  stream.onData(() => {
    answered();
  });
  announce(stream, { request: 'sink', bytes: 1, size: 1 });
  for (let i = 0; i < count; i++) {
    const before = performance.now();
    await new Promise<void>((resolve) => {
      answered = resolve;
      stream.write(Buffer.from('x'));
    });
    taken.push((performance.now() - before) * 1000);
  }
  connection.close();
  return { p50: quantile(taken, 0.5), p99: quantile(taken, 0.99) };
}

async function busyTrips(count: number): Promise<object> {
  const connection = await own.connect(port);
  const stream = await connection.open();
  const order = { request: 'sink', bytes: Number.MAX_SAFE_INTEGER, size: 65_536 } as const;
  announce(stream, order);
  pumpInTurn(stream, order);
  const answer = await trips(count);
  connection.close();
  return answer;
}

async function answer(line: string): Promise<object> {
  const [what = '', ...rest] = line.split(' ');
  const [first = 0, bytes = 0, size = 0] = rest.map(Number);
  switch (what) {
    case 'sink':
    case 'pour':
    case 'both':
      return move(first, { request: what, bytes, size });
    case 'open':
      return open(first, { request: 'sink', bytes, size });
    case 'refill':
      return refill(first, { request: 'sink', bytes, size });
    case 'close':
      return close(first);
    case 'cycles':
      return cycles(first);
    case 'forward':
      return forward({ request: 'sink', bytes: first, size: bytes });
    case 'trips':
      return trips(first);
    case 'busy-trips':
      return busyTrips(first);
    default:
      return answerOfBoth(what);
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await answer(line)));
}
process.exit();
