import { type ChildProcessByStdio, spawn, type SpawnOptions } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import type { Readable, Writable } from 'node:stream';

import { describe, test } from 'vitest';

const root = new URL('../../../', import.meta.url);

/** A program that runs. */
export interface Running {
  readonly child: ChildProcessByStdio<Writable, Readable, Readable>;
  /**
   * Resolves when it has ended, with its exit code (null where a signal ended it) and all that it
   * printed on stderr.
   */
  readonly ended: Promise<{ readonly code: number | null; readonly errors: string }>;
  /** What it has printed on stderr so far. */
  readonly errors: () => string;
  /** Kills it, or ends it with a milder signal, and resolves when it has ended. */
  readonly stop: (signal?: NodeJS.Signals) => Promise<void>;
}

/** Starts a program in the folder of the package, with all three streams piped. */
export function startProgram(
  command: string,
  args: readonly string[],
  options: Omit<SpawnOptions, 'stdio'> = {},
): Running {
  const child = spawn(command, args, { cwd: root, ...options, stdio: 'pipe' });
  // What is written to a program that has ended is missed by its test: the answer does not come.
  child.stdin.on('error', () => undefined);
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (part: string) => {
    errors += part;
  });
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, errors }));
  return {
    child,
    ended,
    errors: () => errors,
    stop: async (signal = 'SIGKILL') => {
      child.kill(signal);
      await ended;
    },
  };
}

/** Runs a program of examples/ as its header says; the test that asked for it stops it. */
export function startExample(name: string, ...args: string[]): Running {
  return startProgram(process.execPath, ['--import', 'tsx', `examples/${name}`, ...args]);
}

/**
 * Waits until a program has printed what matches; rejects when it ends before. What it prints on
 * stdout later is dropped.
 */
export function printed(
  { child, ended, errors }: Running,
  pattern: RegExp,
  stream: 'stdout' | 'stderr' = 'stdout',
): Promise<RegExpExecArray> {
  return new Promise((resolve, reject) => {
    let soFar = stream === 'stderr' ? errors() : '';
    const look = (part = ''): void => {
      soFar += part;
      const match = pattern.exec(soFar);
      if (match) resolve(match);
    };
    look();
    child[stream].setEncoding('utf8').on('data', look);
    ended.then(({ code }) => {
      reject(
        new Error(`ended with ${String(code)} before it printed ${String(pattern)}: ${errors()}`),
      );
    }, reject);
  });
}

/** Where Debian puts what is not in the PATH of every user. */
function foldersOfDebian(): string[] {
  const postgres = '/usr/lib/postgresql';
  try {
    return [
      '/usr/sbin',
      ...readdirSync(postgres).map((version) => path.join(postgres, version, 'bin')),
    ];
  } catch {
    return ['/usr/sbin']; // No PostgreSQL here.
  }
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function findProgram(name: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(path.delimiter), ...foldersOfDebian()];
  return folders.map((folder) => path.join(folder, name)).find(isExecutable);
}

/**
 * Describes tests that need a program of the system, and passes them its path. Where it is missing
 * they are skipped, which their title says; in CI, whose script installs what .ci/packages.txt
 * lists, they fail.
 */
export function describeWith(program: string, title: string, tests: (path: string) => void): void {
  const found = findProgram(program);
  if (found !== undefined) {
    describe(title, () => {
      tests(found);
    });
  } else if (process.env['CI']) {
    test(`${title}: ${program} is installed`, () => {
      throw new Error(`${program} is missing: install what .ci/packages.txt lists`);
    });
  } else {
    describe.skip(`${title} (skipped: ${program} is missing, see .ci/packages.txt)`, () => {
      tests(program);
    });
  }
}

/**
 * Describes tests that need a file of a Debian package that is no program: skipped without it, in
 * CI they fail.
 */
export function describeWithFile(
  file: string,
  debianPackage: string,
  title: string,
  tests: () => void,
): void {
  if (existsSync(file)) {
    describe(title, tests);
  } else if (process.env['CI']) {
    test(`${title}: ${debianPackage} is installed`, () => {
      throw new Error(`${file} is missing: install what .ci/packages.txt lists`);
    });
  } else {
    describe.skip(`${title} (skipped: ${debianPackage} is missing)`, tests);
  }
}
