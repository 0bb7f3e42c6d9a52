import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { text } from 'node:stream/consumers';

import { onTestFinished } from 'vitest';

const root = new URL('../../', import.meta.url);

/** A program that runs; killed at the latest when the test is over. */
export interface Running {
  readonly child: ChildProcessByStdio<Writable, Readable, Readable>;
  /** Resolves when it has ended, with its exit code (null where a signal ended it) and all that it printed on stderr. */
  readonly ended: Promise<{ readonly code: number | null; readonly errors: string }>;
}

/** Starts a program with all three streams piped. */
export function runProgram(command: string, args: readonly string[]): Running {
  const child = spawn(command, args, { cwd: root, stdio: 'pipe' });
  // A write to a program that has ended already is its test's to notice, by the answer that does not come.
  child.stdin.on('error', () => undefined);
  const ended = Promise.all([once(child, 'close'), text(child.stderr)]).then(([[code], errors]) => ({
    code: code as number | null,
    errors,
  }));
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  return { child, ended };
}

/** Runs a program of examples/ as its header says. */
export function runExample(name: string, ...args: string[]): Running {
  return runProgram(process.execPath, ['--import', 'tsx', `examples/${name}`, ...args]);
}

/** Waits for a line of stdout that matches; rejects when the program ends without one. The rest goes on to be read and dropped. */
export function lineOf({ child, ended }: Running, pattern: RegExp): Promise<RegExpExecArray> {
  return new Promise((resolve, reject) => {
    let printed = '';
    child.stdout.setEncoding('utf8').on('data', (part: string) => {
      printed += part;
      const match = pattern.exec(printed);
      if (match) resolve(match);
    });
    void ended.then(({ code, errors }) => {
      reject(new Error(`ended with ${String(code)} before ${String(pattern)}:\n${printed}\n${errors}`));
    });
  });
}
