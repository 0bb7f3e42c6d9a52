import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

import { describe } from 'vitest';

const hasGo = spawnSync('go', ['version']).status === 0;

/**
 * Defines tests that need Go. Where there is none they are skipped, and the name says why; in CI they run all the same,
 * and fail.
 */
export function describeWithGo(name: string, define: () => void): void {
  if (hasGo || process.env['CI'] !== undefined) describe(name, define);
  else describe.skip(`${name} (skipped: there is no go command)`, define);
}

/** Builds a program of test/interop/go into a folder of its own; `remove()` takes it away again. */
export async function buildGo(name: string): Promise<{ readonly file: string; remove(): Promise<void> }> {
  const folder = await mkdtemp(path.join(tmpdir(), 'ws-conn-adapter-go-'));
  const file = path.join(folder, name);
  const cwd = path.join(import.meta.dirname, 'go');
  await promisify(execFile)('go', ['build', '-o', file, `./${name}`], { cwd });
  return { file, remove: () => rm(folder, { recursive: true, force: true }) };
}

/** One line that the program wrote. */
export type Line = Readonly<Record<string, unknown>> & { readonly event: string };

/** Runs a Go program that takes commands and answers with lines of JSON, which may come in any order. */
export class GoProgram {
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;
  readonly #lines: Line[] = [];
  readonly #waiting: { readonly event: string; readonly resolve: (line: Line) => void }[] = [];

  constructor(file: string, args: readonly string[]) {
    const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#child = child;
    this.#exited = new Promise((resolve) => child.once('close', resolve));
    createInterface({ input: child.stdout }).on('line', (text) => {
      const line = JSON.parse(text) as Line;
      const index = this.#waiting.findIndex(({ event }) => event === line.event);
      if (index === -1) this.#lines.push(line);
      else this.#waiting.splice(index, 1)[0]?.resolve(line);
    });
  }

  /** Gives the next line of that event, which may have come already. */
  line(event: string): Promise<Line> {
    const index = this.#lines.findIndex((line) => line.event === event);
    const [line] = index === -1 ? [] : this.#lines.splice(index, 1);
    if (line) return Promise.resolve(line);
    return new Promise((resolve) => this.#waiting.push({ event, resolve }));
  }

  /** Sends a command, and gives the line that answers it: the one of its first word. */
  ask(command: string): Promise<Line> {
    this.#child.stdin?.write(`${command}\n`);
    return this.line(command.split(' ')[0] ?? '');
  }

  /** Ends the process at once, as a crash would, and waits until it is gone. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited;
  }
}
