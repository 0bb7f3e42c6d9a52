/**
 * Measures yamux over a WebSocket on loopback against the bare adapter, the JavaScript muxers and, where there is Go,
 * hashicorp/yamux from Go to Go over gorilla/websocket: `node --import tsx bench/yamux.ts`. Each far end is a process of
 * its own; all take turns in short rounds, so that the noise of the machine hits all alike. Figures are medians, in MB/s;
 * the ratios are what to quote.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';

import { BARE, type BenchStream, dial, type Muxer, muxers, OURS } from './yamux/muxers.ts';

const ROUNDS = Number(process.env['ROUNDS'] ?? 5);
const MIB = 1_048_576;
const HEAD = 16;
const DELAY = 25;
const GO = 'hashicorp/yamux, Go';

interface Case {
  readonly name: string;
  readonly streams: number;
  readonly size: number;
  /** Bytes of all streams together. */
  readonly bytes: number;
  readonly delayed?: boolean;
  readonly only?: readonly string[];
}

const cases: readonly Case[] = [
  { name: '1 stream, 64 KiB writes', streams: 1, size: 65_536, bytes: 128 * MIB },
  { name: '100 streams, 64 KiB writes', streams: 100, size: 65_536, bytes: 200 * MIB },
  { name: '100 streams, 1 KiB writes', streams: 100, size: 1_024, bytes: 25 * MIB },
  {
    name: '1 stream, 64 KiB writes, 25 ms of delay each way',
    streams: 1,
    size: 65_536,
    bytes: 128 * MIB,
    delayed: true,
    only: [OURS, BARE, GO],
  },
];

/** One contender, ready: gives MB/s for a case. */
interface Contestant {
  readonly name: string;
  run(test: Case): Promise<number>;
}

const children: ChildProcess[] = [];

function start(
  command: string,
  args: readonly string[],
): ChildProcess & { readonly lines: AsyncIterator<string> } {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  children.push(child);
  return Object.assign(child, { lines: createInterface({ input: child.stdout })[Symbol.asyncIterator]() });
}

async function lineOf(child: { readonly lines: AsyncIterator<string> }): Promise<string> {
  return String((await child.lines.next()).value);
}

function startScript(file: string, ...args: readonly string[]): ReturnType<typeof start> {
  const script = path.join(import.meta.dirname, 'yamux', file);
  return start(process.execPath, ['--import', 'tsx', script, ...args]);
}

async function delayed(port: string): Promise<string> {
  return lineOf(startScript('delay-proxy.ts', port, String(DELAY)));
}

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

async function ofMuxer(muxer: Muxer): Promise<Contestant> {
  const near = await lineOf(startScript('peer.ts', muxer.name));
  const far = await delayed(near);
  return {
    name: muxer.name,
    run: async ({ streams, size, bytes, delayed: isDelayed }) => {
      const each = Math.ceil(bytes / muxer.slowness / streams / size) * size;
      const transport = await dial(muxer, isDelayed ? far : near);
      transport.on('error', () => undefined);
      const open = muxer.client(transport);
      const opened = await Promise.all(Array.from({ length: streams }, open));
      const before = performance.now();
      await Promise.all(opened.map((stream) => fill(stream, size, each)));
      const ms = performance.now() - before;
      transport.destroy();
      return (streams * each) / 1000 / ms;
    },
  };
}

/** Builds and starts both ends in Go; undefined where there is no Go. */
async function ofGo(): Promise<Contestant | undefined> {
  const folder = mkdtempSync(path.join(tmpdir(), 'ws-conn-adapter-bench-'));
  process.on('exit', () => {
    rmSync(folder, { recursive: true, force: true });
  });
  const file = path.join(folder, 'yamux-bench');
  const cwd = path.join(import.meta.dirname, '../test/interop/go');
  const build = spawn('go', ['build', '-o', file, './yamux-bench'], { cwd, stdio: 'inherit' });
  const built = await new Promise((resolve) => {
    build.on('error', () => {
      resolve(1);
    });
    build.on('close', resolve);
  });
  if (built !== 0) return undefined;
  const near = await lineOf(start(file, []));
  const far = await delayed(near);
  const clients = [near, far].map((port) => start(file, [`-dial=ws://127.0.0.1:${port}`]));
  return {
    name: GO,
    run: async ({ streams, size, bytes, delayed: isDelayed }) => {
      const client = clients[isDelayed ? 1 : 0];
      if (!client) throw new Error('no client');
      client.stdin?.write(
        `${String(streams)} ${String(Math.ceil(bytes / streams / size) * size)} ${String(size)}\n`,
      );
      return Number(await lineOf(client));
    },
  };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}

const wanted = new RegExp(process.argv[2] ?? '');
const contestants: Contestant[] = await Promise.all(muxers.map(ofMuxer));
const go = await ofGo();
if (go) contestants.push(go);
else console.log('There is no go command: hashicorp/yamux is left out.');

console.log(
  `Node ${process.version}, median of ${String(ROUNDS)} rounds, MB/s, and ours as a multiple of each`,
);
for (const test of cases.filter(({ name }) => wanted.test(name))) {
  console.log(`\n${test.name}`);
  const fitting = contestants.filter(({ name }) => test.only?.includes(name) ?? true);
  const figures = new Map(fitting.map(({ name }) => [name, [] as number[]]));
  // The bare adapter is one stream, whatever the case: all bytes go through it.
  const runOne = (one: Contestant): Promise<number> =>
    one.run(one.name === BARE ? { ...test, streams: 1 } : test);
  for (let round = -1; round < ROUNDS; round++) {
    for (const one of fitting) {
      const figure = await runOne(one);
      if (round >= 0) figures.get(one.name)?.push(figure);
    }
  }
  const ours = median(figures.get(OURS) ?? []);
  for (const { name } of fitting) {
    const figure = median(figures.get(name) ?? []);
    const ratio = name === OURS ? '' : `${(ours / figure).toFixed(2)} x`;
    console.log(
      `  ${name.padEnd(24)}${figure.toFixed(figure < 100 ? 1 : 0).padStart(8)}   ${ratio.padStart(8)}`,
    );
  }
}
for (const child of children) child.kill();
process.exit();
