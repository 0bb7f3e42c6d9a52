import { fileURLToPath } from 'node:url';

import { onTestFinished } from 'vitest';

import { type Running, startProgram } from './program.ts';

/** A program for python3 that runs another on a terminal of its own. */
export const ON_A_TERMINAL = fileURLToPath(new URL('on-a-terminal.py', import.meta.url));

export interface WatchedOptions {
  /** Variables to set beside those of the test; undefined takes one away. */
  readonly env?: NodeJS.ProcessEnv;
  /** What it gets on stdin before the end of it; without, stdin stays open. */
  readonly input?: string | Buffer;
}

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * A program with all that it has printed so far, and a way to wait for what it will print. Killed
 * when the test is over.
 */
export class WatchedProgram {
  readonly child: Running['child'];
  /** Resolves when it has ended and all that it printed is here. */
  readonly ended: Promise<Ended>;
  readonly #running: Running;
  readonly #output: Buffer[] = [];
  readonly #watchers = new Set<() => void>();

  constructor(command: string, args: readonly string[], { env = {}, input }: WatchedOptions = {}) {
    this.#running = startProgram(command, args, { env: { ...process.env, ...env } });
    this.child = this.#running.child;
    if (input !== undefined) this.child.stdin.end(input);
    const look = (): void => {
      for (const watcher of this.#watchers) watcher();
    };
    this.child.stdout.on('data', (part: Buffer) => {
      this.#output.push(part);
      look();
    });
    this.child.stderr.on('data', look);
    this.ended = this.#running.ended.then(({ code, errors }) => {
      look();
      return { code, stdout: this.stdout, stderr: errors };
    });
    onTestFinished(() => this.#running.stop());
  }

  get stdout(): string {
    return this.bytes.toString();
  }

  get stderr(): string {
    return this.#running.errors();
  }

  /** What it has written to stdout. */
  get bytes(): Buffer {
    return Buffer.concat(this.#output);
  }

  /**
   * Waits for something on stdout or stderr, also if it came before; rejects when the program ends
   * without it.
   */
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
      void this.ended.then(({ code, stdout, stderr }) => {
        settle(() => {
          reject(
            new Error(`ended (${String(code)}) before ${String(pattern)}:\n${stdout}\n${stderr}`),
          );
        });
      });
    });
  }

  /** Writes to its stdin. */
  write(text: string | Buffer): void {
    this.child.stdin.write(text);
  }

  /** Sends a signal. */
  kill(signal: NodeJS.Signals = 'SIGTERM'): void {
    this.child.kill(signal);
  }
}

/** Runs a program to its end. */
export function run(
  command: string,
  args: readonly string[],
  options?: WatchedOptions,
): Promise<Ended> {
  return new WatchedProgram(command, args, options).ended;
}
