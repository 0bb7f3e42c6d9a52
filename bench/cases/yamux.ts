import { type BenchCase, printLeftOut, type Sample } from '../parts/case.ts';
import { type Pair, startPair, transfer } from '../parts/pair.ts';
import { goYamux, type Program, rustYamux } from '../parts/programs.ts';
import { startScript, startSide } from '../parts/side.ts';
import { inTurns } from '../parts/turns.ts';
import { bareAdapter } from '../sides/contestants.ts';

const MIB = 1_048_576;
/** Time in ms that bytes take one way through the delaying proxy. */
const DELAY = 25;
const OURS = 'ws-conn-adapter/yamux';
const GO = 'hashicorp/yamux, Go';
const RUST = 'rust-yamux';
const JS_MUXERS = [OURS, bareAdapter.name, 'yamux-js', '@libp2p/yamux'];

interface Load {
  readonly metric: string;
  readonly streams: number;
  readonly size: number;
  /** Bytes of all streams together. */
  readonly bytes: number;
  /** By how much less the slow ones are given to carry, so that nobody waits for minutes. */
  readonly slowness: Readonly<Record<string, number>>;
}

const LOADS: readonly Load[] = [
  { metric: '1 stream, 64 KiB', streams: 1, size: 65_536, bytes: 96 * MIB },
  { metric: '100 streams, 64 KiB', streams: 100, size: 65_536, bytes: 100 * MIB },
  { metric: '100 streams, 1 KiB', streams: 100, size: 1_024, bytes: 25 * MIB },
].map((load) => ({ ...load, slowness: { 'yamux-js': 64, '@libp2p/yamux': 2 } }));

const DELAYED: Load = {
  metric: `1 stream, 64 KiB, ${String(DELAY)} ms each way`,
  streams: 1,
  size: 65_536,
  // Enough for the window to reach its size: what is measured is what flows then.
  bytes: 256 * MIB,
  // That of Go stays at 256 KiB, which is what one round trip can carry.
  slowness: { [GO]: 64, [RUST]: 8 },
};
/** What counts with a delay is the bare adapter, and who is not from JavaScript. */
const NOT_DELAYED = ['yamux-js', '@libp2p/yamux'];

async function delayed(port: string): Promise<string> {
  return (await startScript('any', 'delay-proxy.ts', port, String(DELAY))).line();
}

type Between = (port: string) => Promise<string>;

/** Builds and starts both ends of a program, directly and with something between. */
function startProgram(
  name: string,
  program: Program,
): ((between?: Between) => Promise<Pair>) | null {
  const file = program.build();
  if (file === null) {
    printLeftOut(name, program.needs);
    return null;
  }
  return async (between = (port) => Promise.resolve(port)) => {
    const far = startSide(1, file, []);
    const url = `ws://127.0.0.1:${await between(await far.line())}`;
    return { name, far, near: startSide(0, file, name === GO ? [`-dial=${url}`] : [url]) };
  };
}

function ask(pair: Pair, load: Load, share: number): ReturnType<typeof transfer> {
  const { metric, size } = load;
  // The bare adapter is one stream, whatever the load: all bytes go through it.
  const streams = pair.name === bareAdapter.name ? 1 : load.streams;
  const bytes = load.bytes / share / (load.slowness[pair.name] ?? 1);
  const each = Math.ceil(bytes / streams / size) * size;
  const question = `sink ${String(streams)} ${String(each)} ${String(size)}`;
  return transfer(pair, { metric, question, bytes: streams * each });
}

/** Streams of yamux over one WebSocket. */
export const yamux: BenchCase = {
  name: 'yamux',
  title: 'yamux over one WebSocket, client to server',
  aims: [],
  async run({ quick, rounds, warmUps }) {
    const programs = [startProgram(GO, goYamux), startProgram(RUST, rustYamux)];
    const starts = [
      ...JS_MUXERS.map((name) => ({
        name,
        start: (between?: Between) => startPair({ name }, between),
      })),
      ...[GO, RUST].map((name, i) => ({ name, start: programs[i] ?? null })),
    ];
    const pairs = (between?: Between): Promise<Pair[]> =>
      Promise.all(
        starts
          .filter(({ name }) => between === undefined || !NOT_DELAYED.includes(name))
          .flatMap(({ start }) => (start ? [start(between)] : [])),
      );
    const timing = { rounds: Math.min(rounds, 9), warmUps: Math.min(warmUps, 3) };
    const samples: Sample[] = [];
    const near = await pairs();
    for (const load of LOADS) {
      const ofOne = await inTurns(near, timing, (pair) => ask(pair, load, quick ? 8 : 1));
      samples.push(...ofOne);
    }
    const slow = { rounds: Math.min(rounds, 5), warmUps: 1 };
    const far = await inTurns(await pairs(delayed), slow, (pair) =>
      ask(pair, DELAYED, quick ? 16 : 1),
    );
    return [...samples, ...far];
  },
};
