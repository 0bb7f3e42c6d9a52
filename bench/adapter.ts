/**
 * Measures the adapter against ws's own createWebSocketStream and against bare TCP, over loopback, each far end in a
 * process of its own: `node --import tsx bench/adapter.ts`. Contenders take turns in short rounds, so that the noise of
 * the machine hits all alike; the figures are medians, and the ratios are what to quote. Where there is taskset, each
 * side has a core of its own.
 */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import type { Duplex } from 'node:stream';

import { type Contender, contenders } from './contenders.ts';
import { median } from './median.ts';
import { pins, startScript, stopSides } from './side.ts';

const ROUNDS = Number(process.env['ROUNDS'] ?? 7);
const HEAD = 16;
const MIB = 1_048_576;
const cases = [
  { name: '64 B writes', size: 64, bytes: 8 * MIB },
  { name: '1 KiB writes', size: 1024, bytes: 64 * MIB },
  { name: '64 KiB writes', size: 65_536, bytes: 256 * MIB },
];
const ROUND_TRIPS = 3000;

if (pins) spawnSync('taskset', ['-p', '-c', '0', String(process.pid)]);

interface Peer {
  readonly contender: Contender;
  readonly port: number;
}

async function start(contender: Contender): Promise<Peer> {
  return { contender, port: Number(await startScript(1, 'peer.ts', contender.name).line()) };
}

async function open({ contender, port }: Peer, mode: string): Promise<Duplex> {
  const stream = await contender.open(port);
  stream.write(mode.padEnd(HEAD));
  return stream;
}

/** Writes as fast as the stream takes it, in writes of `size`, and gives MB/s until the far end has all of it. */
async function throughput(peer: Peer, size: number, bytes: number): Promise<number> {
  const stream = await open(peer, `sink ${String(bytes)}`);
  const chunk = Buffer.alloc(size, 'x');
  const done = once(stream, 'data');
  const start = performance.now();
  let left = bytes;
  const fill = (): void => {
    while (left > 0) {
      left -= size;
      if (!stream.write(chunk)) return;
    }
    stream.off('drain', fill);
  };
  stream.on('drain', fill);
  fill();
  await done;
  const seconds = (performance.now() - start) / 1000;
  stream.destroy();
  return bytes / 1e6 / seconds;
}

/** Sends one byte and waits for it, again and again; gives the median round trip in microseconds. */
async function latency(peer: Peer): Promise<number> {
  const stream = await open(peer, 'echo 0');
  const times: number[] = [];
  for (let i = 0; i < ROUND_TRIPS; i++) {
    const start = performance.now();
    stream.write('x');
    await once(stream, 'data');
    times.push((performance.now() - start) * 1000);
  }
  stream.destroy();
  return median(times);
}

async function inTurn(peers: readonly Peer[], measure: (peer: Peer) => Promise<number>): Promise<number[]> {
  const all = peers.map((): number[] => []);
  for (const peer of peers) await measure(peer); // warm-up
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, peer] of peers.entries()) all[i]?.push(await measure(peer));
  }
  return all.map(median);
}

function print(name: string, unit: string, figures: readonly number[]): void {
  const first = figures[0] ?? NaN;
  console.log(`\n${name}`);
  for (const [i, { name: contender }] of contenders.entries()) {
    const figure = figures[i] ?? NaN;
    const ratio = i === 0 ? '' : `   ${(first / figure).toFixed(2)} × this is ws-conn-adapter`;
    console.log(
      `  ${contender.padEnd(24)}${figure.toFixed(figure < 100 ? 1 : 0).padStart(8)} ${unit}${ratio}`,
    );
  }
}

const peers = await Promise.all(contenders.map(start));
console.log(
  `Node ${process.version}, ${String(ROUNDS)} rounds, median; ${pins ? 'one core a side' : 'not pinned'}`,
);
for (const { name, size, bytes } of cases) {
  print(name, 'MB/s', await inTurn(peers, (peer) => throughput(peer, size, bytes)));
}
print('Round trip of one byte (shorter is better)', 'µs  ', await inTurn(peers, latency));
stopSides();
