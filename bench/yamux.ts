/**
 * Measures yamux over a WebSocket on loopback against the bare adapter, the JavaScript muxers and,
 * where there is Go, hashicorp/yamux from Go to Go over gorilla/websocket:
 * `node --import tsx bench/yamux.ts [CASE [CONTESTANT]]`, patterns for the names of those to run.
 * Each end of each is a process of its own; where there is taskset, near ends have one core and far
 * ends the other.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { BARE, type Contestant, muxers } from './parts/contestants.ts';
import { type Side, startScript, startSide, stopSides } from './parts/side.ts';
import { compare, printHead } from './parts/turns.ts';

const MIB = 1_048_576;
/** Time in ms that bytes take one way through the delaying proxy. */
const DELAY = Number(process.env['DELAY'] ?? 25);
const GO = 'hashicorp/yamux, Go';

interface Case {
  readonly title: string;
  readonly streams: number;
  readonly size: number;
  /** Bytes of all streams together. */
  readonly bytes: number;
  readonly delayed?: boolean;
}

const cases: readonly Case[] = [
  { title: '1 stream, writes of 64 KiB', streams: 1, size: 65_536, bytes: 192 * MIB },
  { title: '100 streams, writes of 64 KiB', streams: 100, size: 65_536, bytes: 200 * MIB },
  { title: '100 streams, writes of 1 KiB', streams: 100, size: 1_024, bytes: 50 * MIB },
  {
    title: `1 stream, writes of 64 KiB, ${String(DELAY)} ms of delay each way`,
    streams: 1,
    size: 65_536,
    // Enough for the window to reach its size: what is measured is what flows then.
    bytes: 1024 * MIB,
    delayed: true,
  },
];

/** By how much less the slow ones are given to carry, so that nobody waits for minutes. */
const slowness = new Map([
  ['yamux-js', 64],
  ['@libp2p/yamux', 2],
]);
/**
 * The same for those that take part with a delay; its window stays at 256 KiB, which is what one
 * round trip can carry.
 */
const slownessDelayed = new Map([[GO, 64]]);
/** Those that are left out where a delay is put between: what counts there is the bare adapter. */
const notDelayed = ['yamux-js', '@libp2p/yamux'];

/** One way to carry streams, with both of its ends running. */
interface Running {
  readonly name: string;
  readonly near: Side;
  /** The near end behind the delaying proxy; none where it takes no part in that case. */
  readonly behindDelay: Side | null;
}

function delayProxy(port: string): Promise<string> {
  return startScript('any', 'delay-proxy.ts', port, String(DELAY)).line();
}

async function start({ name }: Contestant): Promise<Running> {
  const port = await startScript(1, 'far.ts', name).line();
  const near = (to: string): Side => startScript(0, 'near.ts', name, to);
  const behindDelay = notDelayed.includes(name) ? null : near(await delayProxy(port));
  return { name, near: near(port), behindDelay };
}

/** Builds and starts both ends in Go; null where there is no Go. */
async function startGo(): Promise<Running | null> {
  const folder = mkdtempSync(path.join(tmpdir(), 'ws-conn-adapter-bench-'));
  process.on('exit', () => {
    rmSync(folder, { recursive: true, force: true });
  });
  const file = path.join(folder, 'yamux-bench');
  const cwd = path.join(import.meta.dirname, '../test/interop/go');
  const { status } = spawnSync('go', ['build', '-o', file, './yamux-bench'], {
    cwd,
    stdio: 'inherit',
  });
  if (status !== 0) return null;
  const port = await startSide(1, file, []).line();
  const dial = (to: string): Side => startSide(0, file, [`-dial=ws://127.0.0.1:${to}`]);
  return { name: GO, near: dial(port), behindDelay: dial(await delayProxy(port)) };
}

function measure({ name, near, behindDelay }: Running, test: Case): Promise<number> {
  const less = (test.delayed ? slownessDelayed : slowness).get(name) ?? 1;
  // The bare adapter is one stream, whatever the case: all bytes go through it.
  const streams = name === BARE.name ? 1 : test.streams;
  const bytes = Math.ceil(test.bytes / less / streams / test.size) * test.size;
  const side = (test.delayed && behindDelay) || near;
  return side.ask(`fill ${String(streams)} ${String(bytes)} ${String(test.size)}`);
}

const [wantedCase, wantedContestant] = [2, 3].map((i) => new RegExp(process.argv[i] ?? ''));
const running = await Promise.all(
  muxers.filter(({ name }) => wantedContestant?.test(name)).map(start),
);
if (wantedContestant?.test(GO)) {
  const go = await startGo();
  if (go) running.push(go);
  else console.log('There is no go command: hashicorp/yamux is left out.');
}
printHead();
for (const test of cases.filter(({ title }) => wantedCase?.test(title))) {
  const taking = running.filter(({ behindDelay }) => !test.delayed || behindDelay);
  await compare(test.title, 'MB/s', taking, (one) => measure(one, test));
}
stopSides();
process.exit();
