import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

import { bundle } from './bundle.ts';

/** What a program answers: figures by name. */
export type Answer = Readonly<Record<string, number>>;

/** One program of a measurement, which is told what to do by lines and answers in lines. */
export interface Side {
  readonly child: ChildProcess;
  /** Waits for the next line that the program prints. @throws if it ends before */
  line(): Promise<string>;
  /** Sends a line, and waits for the JSON object that comes back. */
  ask(question: string): Promise<Answer>;
  /** Ends the program, and waits until it is gone. */
  stop(): Promise<void>;
}

/**
 * Whether each side can have a core of its own: where the scheduler puts two busy programs decides
 * over half of a figure.
 */
export const pins = spawnSync('taskset', ['-c', '0,1', 'true']).status === 0;

/**
 * Node sides get a heap, and from malloc memory, that they keep. Else it is luck that decides: V8,
 * with so little alive, takes every 32 MB of buffers for a reason to go through all of its heap or
 * does not, and glibc gives freed memory back to the kernel or not, by where in it a live byte
 * lies. Either moves the figures of one and the same program by a factor of two.
 */
const HEAP = '--initial-heap-size=512';
const MALLOC = {
  MALLOC_TRIM_THRESHOLD_: '1073741824',
  MALLOC_TOP_PAD_: '67108864',
  MALLOC_MMAP_THRESHOLD_: '1073741824',
};

const sides = new Set<Side>();

/** Where a side runs: near ends on core 0, far ends on core 1. */
export type Core = 0 | 1 | 'any';

/** Starts a program, on one core if it is named and can be had. */
export function startSide(
  core: Core,
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = MALLOC,
): Side {
  const command = [program, ...args];
  const [file = '', ...rest] =
    pins && core !== 'any' ? ['taskset', '-c', String(core), ...command] : command;
  const child = spawn(file, rest, {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const line = async (): Promise<string> => {
    const next: IteratorResult<string> = await lines.next();
    if (next.done) throw new Error(`${command.join(' ')} ended before it answered`);
    return next.value;
  };
  const side: Side = {
    child,
    line,
    async ask(question) {
      child.stdin.write(`${question}\n`);
      return JSON.parse(await line()) as Answer;
    },
    async stop() {
      sides.delete(side);
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    },
  };
  sides.add(side);
  return side;
}

/** Starts a script of bench/sides, for measurements of speed. */
export async function startScript(
  core: Core,
  script: string,
  ...args: readonly string[]
): Promise<Side> {
  return startSide(core, process.execPath, [HEAP, await bundle(script), ...args]);
}

/** Starts a script of bench/sides with Node's own settings, for measurements of memory. */
export async function startForMemory(
  core: Core,
  script: string,
  ...args: readonly string[]
): Promise<Side> {
  return startSide(core, process.execPath, ['--expose-gc', await bundle(script), ...args], {});
}

/** Starts a script of bench/sides that knows where each of its functions comes from. */
export async function startForProfile(
  core: Core,
  script: string,
  ...args: readonly string[]
): Promise<Side> {
  const flags = [HEAP, '--enable-source-maps'];
  return startSide(core, process.execPath, [...flags, await bundle(script), ...args]);
}

/** Ends all programs that still run. */
export async function stopSides(): Promise<void> {
  await Promise.all([...sides].map((side) => side.stop()));
}
