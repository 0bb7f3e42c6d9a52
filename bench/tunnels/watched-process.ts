import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Ticks a second in which the kernel counts CPU time for programs: USER_HZ, fixed on Linux. */
const TICKS = 100;
const KIB_PER_MIB = 1024;

/** One process of a tunnel, and what it costs. */
export class WatchedProcess {
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;

  constructor(file: string, args: readonly string[]) {
    this.#child = spawn(file, args, { stdio: 'ignore' });
    this.#exited = new Promise((resolve) => {
      this.#child.once('exit', () => {
        resolve();
      });
      // The program is not there; who waits for its port finds that out.
      this.#child.once('error', () => {
        resolve();
      });
    });
  }

  get running(): boolean {
    return this.#child.pid !== undefined && this.#child.exitCode === null;
  }

  /** Seconds of CPU time so far, of all its threads. */
  get cpuSeconds(): number {
    // The name of the program, in parentheses, may have blanks in it; behind it user time is field 12.
    const fields = this.#read('stat').split(') ').at(-1)?.split(' ') ?? [];
    return (Number(fields[11]) + Number(fields[12])) / TICKS;
  }

  /** The most MiB of memory that it ever had. */
  get peakMiB(): number {
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(this.#read('status'))?.[1]) / KIB_PER_MIB;
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited;
  }

  #read(file: string): string {
    return readFileSync(`/proc/${String(this.#child.pid)}/${file}`, 'utf8');
  }
}
