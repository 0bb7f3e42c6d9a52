import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline';

/** One program of a measurement, which is told what to do by lines and answers in lines. */
export interface Side {
  readonly child: ChildProcess;
  /** Waits for the next line that the program prints. @throws if it ends before */
  line(): Promise<string>;
  /** Sends a line, and waits for the figure that comes back. */
  ask(question: string): Promise<number>;
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

const sides: Side[] = [];

/** Starts a program, on one core if it is named and can be had. */
export function startSide(core: 0 | 1 | 'any', program: string, args: readonly string[]): Side {
  const command = [program, ...args];
  const [file = '', ...rest] =
    pins && core !== 'any' ? ['taskset', '-c', String(core), ...command] : command;
  const child = spawn(file, rest, {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, ...MALLOC },
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const line = async (): Promise<string> => {
    const next: IteratorResult<string> = await lines.next();
    if (next.done) throw new Error(`${command.join(' ')} ended before it answered`);
    return next.value;
  };
  const ask = async (question: string): Promise<number> => {
    child.stdin.write(`${question}\n`);
    return Number(await line());
  };
  const side = { child, line, ask };
  sides.push(side);
  return side;
}

/** Starts a script of this folder. */
export function startScript(core: 0 | 1 | 'any', script: string, ...args: readonly string[]): Side {
  const { pathname } = new URL(script, import.meta.url);
  return startSide(core, process.execPath, [HEAP, '--import', 'tsx', pathname, ...args]);
}

/** Ends all programs. */
export function stopSides(): void {
  for (const { child } of sides) child.kill();
}
