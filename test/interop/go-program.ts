import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

import { afterAll, beforeAll, describe } from 'vitest';

import { type Answer, PeerProcess } from '../support/programs/peer-process.ts';

const hasGo = spawnSync('go', ['version']).status === 0;
/** Time in ms that a build may take: the first one compiles Go's own packages too. */
const BUILD_LIMIT = 300_000;

/** A program of test/interop/go, for the tests that need it. */
export class GoBuild {
  readonly #name: string;
  readonly #isTest: boolean;
  #folder = '';

  /**
   * @param kind - whether the folder has a program, or tests for `go test`, which are built as a
   * program too
   */
  constructor(name: string, kind: 'program' | 'tests' = 'program') {
    this.#name = name;
    this.#isTest = kind === 'tests';
  }

  /** The binary, once a test runs. */
  get file(): string {
    return path.join(this.#folder, this.#name);
  }

  /**
   * Defines tests, and builds the program before they run. Where there is no Go they are skipped,
   * and the name says why; in CI they run all the same, and fail.
   */
  describe(title: string, define: () => void): void {
    if (!hasGo && process.env['CI'] === undefined) {
      describe.skip(`${title} (skipped: there is no go command)`, define);
      return;
    }
    describe(title, () => {
      beforeAll(() => this.#build(), BUILD_LIMIT);
      afterAll(() => rm(this.#folder, { recursive: true, force: true }));
      define();
    });
  }

  async #build(): Promise<void> {
    this.#folder = await mkdtemp(path.join(tmpdir(), 'ws-conn-adapter-go-'));
    const cwd = path.join(import.meta.dirname, 'go');
    const build = this.#isTest ? ['test', '-c'] : ['build'];
    await promisify(execFile)('go', [...build, '-o', this.file, `./${this.#name}`], { cwd });
  }
}

/**
 * Runs a Go program that answers commands with lines of JSON that have an `event`, and may come in
 * any order.
 */
export class GoProgram {
  readonly #process: PeerProcess;

  constructor(file: string, args: readonly string[]) {
    this.#process = new PeerProcess(file, args);
  }

  /** Waits for the next line of that event, which may have come already. */
  line(event: string): Promise<Answer> {
    return this.#process.answerWith((answer) => answer['event'] === event, event);
  }

  /** Sends a command, and waits for the line that answers it: the one of its first word. */
  ask(command: string): Promise<Answer> {
    this.#process.write(command);
    return this.line(command.split(' ')[0] ?? '');
  }

  /** Ends the process at once, as a crash would, and waits until it is gone. */
  kill(): Promise<void> {
    return this.#process.stop();
  }
}
