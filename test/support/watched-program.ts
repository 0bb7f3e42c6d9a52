import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

import { onTestFinished } from 'vitest';

const root = new URL('../../', import.meta.url);

export interface ProgramOptions {
  /** Variables to set beside those of the test; undefined takes one away. */
  readonly env?: NodeJS.ProcessEnv;
  /** What it gets on stdin before the end of it; without, stdin stays open. */
  readonly input?: string | Buffer;
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A child process, what it has printed so far, and waiting for what it will print. Killed when the test is over. */
export class Program {
  readonly child: ChildProcess;
  /** Resolves when it has ended and all that it printed is here. */
  readonly ended: Promise<Ended>;
  readonly #output: Buffer[] = [];
  readonly #errors: Buffer[] = [];
  readonly #watchers = new Set<() => void>();

  constructor(command: string, args: readonly string[], { env = {}, input }: ProgramOptions = {}) {
    this.child = spawn(command, args, { cwd: root, stdio: 'pipe', env: { ...process.env, ...env } });
    const { stdin, stdout, stderr } = this.child;
    // A write to a program that has ended is its test's to notice, by the answer that does not come.
    stdin?.on('error', () => undefined);
    if (input !== undefined) stdin?.end(input);
    for (const [stream, parts] of [
      [stdout, this.#output],
      [stderr, this.#errors],
    ] as const) {
      stream?.on('data', (part: Buffer) => {
        parts.push(part);
        for (const look of this.#watchers) look();
      });
    }
    this.ended = once(this.child, 'close').then(([code, signal]) => {
      for (const look of this.#watchers) look();
      return {
        code: code as number | null,
        signal: signal as NodeJS.Signals | null,
        stdout: this.stdout,
        stderr: this.stderr,
      };
    });
    onTestFinished(async () => {
      this.child.kill('SIGKILL');
      await this.ended.catch(() => undefined);
    });
  }

  get stdout(): string {
    return this.bytes.toString();
  }

  get stderr(): string {
    return Buffer.concat(this.#errors).toString();
  }

  /** What it has written to stdout. */
  get bytes(): Buffer {
    return Buffer.concat(this.#output);
  }

  /** Waits for something on stdout or stderr, also if it came before; rejects when the program ends without it. */
  async prints(pattern: RegExp): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const match = pattern.exec(this.stdout) ?? pattern.exec(this.stderr);
        if (match)
          settle(() => {
            resolve(match);
          });
      };
      const settle = (how: () => void): void => {
        this.#watchers.delete(look);
        how();
      };
      this.#watchers.add(look);
      look();
      void this.ended.then(({ code, signal, stdout, stderr }) => {
        settle(() => {
          reject(
            new Error(`ended (${String(code ?? signal)}) before ${String(pattern)}:\n${stdout}\n${stderr}`),
          );
        });
      });
    });
  }

  /** Writes to its stdin. */
  write(text: string | Buffer): void {
    this.child.stdin?.write(text);
  }

  /** Sends a signal. */
  kill(signal: NodeJS.Signals = 'SIGTERM'): void {
    this.child.kill(signal);
  }
}

/** Runs a program to its end. */
export function run(command: string, args: readonly string[], options?: ProgramOptions): Promise<Ended> {
  return new Program(command, args, options).ended;
}
