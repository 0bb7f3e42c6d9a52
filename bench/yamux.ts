/**
 * Measures yamux over a WebSocket on loopback against the bare adapter, the JavaScript muxers and, where there is Go,
 * hashicorp/yamux from Go to Go over gorilla/websocket: `node --import tsx bench/yamux.ts [CASE [CONTESTANT]]`, patterns
 * for the names of those to run. Each end of each contestant is a process of its own; where there is taskset, near ends have
 * one core and far ends the other. All take turns, so that the noise of the machine hits all alike. The ratios are what
 * to quote: the median of those of all rounds, each within its round, with the lowest and the highest.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { median } from './median.ts';
import { pins, type Side, startScript, startSide, stopSides } from './side.ts';
import { BARE, muxers, OURS } from './yamux/muxers.ts';

const ROUNDS = Number(process.env['ROUNDS'] ?? 15);
/** Rounds that do not count: Node compiles what runs often, and does it again when other cases run. */
const WARM_UPS = 8;
const MIB = 1_048_576;
/** Time in ms that bytes take one way through the delaying proxy. */
const DELAY = Number(process.env['DELAY'] ?? 25);
const GO = 'hashicorp/yamux, Go';

interface Case {
  readonly name: string;
  readonly streams: number;
  readonly size: number;
  /** Bytes of all streams together. */
  readonly bytes: number;
  readonly delayed?: boolean;
}

const cases: readonly Case[] = [
  { name: '1 stream, 64 KiB writes', streams: 1, size: 65_536, bytes: 192 * MIB },
  { name: '100 streams, 64 KiB writes', streams: 100, size: 65_536, bytes: 200 * MIB },
  { name: '100 streams, 1 KiB writes', streams: 100, size: 1_024, bytes: 50 * MIB },
  {
    name: `1 stream, 64 KiB writes, ${String(DELAY)} ms of delay each way`,
    streams: 1,
    size: 65_536,
    // Enough for the window to reach its size: what is measured is what flows then.
    bytes: 1024 * MIB,
    delayed: true,
  },
];

/** One way to carry streams, with both of its ends running. */
interface Contestant {
  readonly name: string;
  /** By how much less it is given to carry, and by how much behind the delaying proxy. */
  readonly slowness: number;
  readonly slownessDelayed: number;
  readonly near: Side;
  /** The near end behind the delaying proxy; none where it takes no part in that case. */
  readonly behindDelay: Side | null;
}

function delayProxy(port: string): Promise<string> {
  return startScript('any', 'yamux/delay-proxy.ts', port, String(DELAY)).line();
}

async function ofMuxer({ name, slowness, delayed }: (typeof muxers)[number]): Promise<Contestant> {
  const port = await startScript(1, 'yamux/far.ts', name).line();
  return {
    name,
    slowness,
    slownessDelayed: slowness,
    near: startScript(0, 'yamux/near.ts', name, port),
    behindDelay: delayed ? startScript(0, 'yamux/near.ts', name, await delayProxy(port)) : null,
  };
}

/** Builds and starts both ends in Go; null where there is no Go. */
async function ofGo(): Promise<Contestant | null> {
  const folder = mkdtempSync(path.join(tmpdir(), 'ws-conn-adapter-bench-'));
  process.on('exit', () => {
    rmSync(folder, { recursive: true, force: true });
  });
  const file = path.join(folder, 'yamux-bench');
  const cwd = path.join(import.meta.dirname, '../test/interop/go');
  const { status } = spawnSync('go', ['build', '-o', file, './yamux-bench'], { cwd, stdio: 'inherit' });
  if (status !== 0) return null;
  const port = await startSide(1, file, []).line();
  const dial = (to: string): Side => startSide(0, file, [`-dial=ws://127.0.0.1:${to}`]);
  return {
    name: GO,
    slowness: 1,
    // Its window stays at 256 KiB, which is what one round trip can carry.
    slownessDelayed: 64,
    near: dial(port),
    behindDelay: dial(await delayProxy(port)),
  };
}

/** Gives MB/s. */
async function run(contestant: Contestant, test: Case): Promise<number> {
  // The bare adapter is one stream, whatever the case: all bytes go through it.
  const streams = contestant.name === BARE ? 1 : test.streams;
  const slowness = test.delayed ? contestant.slownessDelayed : contestant.slowness;
  const bytes = Math.ceil(test.bytes / slowness / streams / test.size) * test.size;
  const side = test.delayed ? contestant.behindDelay : contestant.near;
  if (!side) return NaN;
  side.child.stdin?.write(`${[streams, bytes, test.size].join(' ')}\n`);
  return Number(await side.line());
}

function print(name: string, figures: readonly number[], ours: readonly number[]): void {
  const figure = median(figures);
  const shown = figure.toFixed(figure < 100 ? 1 : 0).padStart(8);
  const ratios = figures.map((one, round) => (ours[round] ?? NaN) / one);
  const [middle, least, most] = [median(ratios), Math.min(...ratios), Math.max(...ratios)].map((ratio) =>
    ratio.toFixed(2),
  );
  const compared = name === OURS ? '' : `${String(middle)} x (${String(least)} to ${String(most)})`;
  console.log(`  ${name.padEnd(24)}${shown}   ${compared}`.trimEnd());
}

const [wantedCase, wantedContestant] = [2, 3].map((i) => new RegExp(process.argv[i] ?? ''));
const contestants = await Promise.all(muxers.filter(({ name }) => wantedContestant?.test(name)).map(ofMuxer));
if (wantedContestant?.test(GO)) {
  const go = await ofGo();
  if (go) contestants.push(go);
  else console.log('There is no go command: hashicorp/yamux is left out.');
}

const placed = pins ? 'one core a side' : 'not pinned';
console.log(
  `Node ${process.version}, ${String(ROUNDS)} rounds, ${placed}: MB/s, and ours as a multiple of each`,
);
for (const test of cases.filter(({ name }) => wantedCase?.test(name))) {
  console.log(`\n${test.name}`);
  const taking = contestants.filter(({ behindDelay }) => !test.delayed || behindDelay);
  const figures = new Map(taking.map(({ name }) => [name, [] as number[]]));
  for (let round = -WARM_UPS; round < ROUNDS; round++) {
    // There and back, so that nobody always follows the same one.
    for (const one of round % 2 === 0 ? taking : taking.toReversed()) {
      const figure = await run(one, test);
      if (round >= 0) figures.get(one.name)?.push(figure);
    }
  }
  for (const [name, all] of figures) print(name, all, figures.get(OURS) ?? []);
}
stopSides();
process.exit();
