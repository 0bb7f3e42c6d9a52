import { spawn } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { onTestFinished } from 'vitest';

import type { CreateServerOptions } from '../../../src/index.ts';
import { next } from '../events.ts';
import { peakMemory } from '../programs/resident-memory.ts';

const child = fileURLToPath(new URL('../children/echo-server-child.ts', import.meta.url));

/** An echo server in a process of its own, which a test attacks. */
export interface Victim {
  readonly port: number;
  readonly url: string;
  /** The errors of its connections so far. */
  readonly errors: { readonly code: string; readonly message: string }[];
  /** Resolves when so many of them have been told. */
  failed(count: number): Promise<void>;
  /** Resolves with the bytes that it keeps, garbage left out, beyond those of its start. */
  readonly kept: () => Promise<number>;
  /** Bytes of memory that its peak has grown by since it started. */
  grown(): number;
}

/** Starts one with these options; it is stopped when the test is over. */
export async function startVictim(options: CreateServerOptions = {}): Promise<Victim> {
  const args = ['--expose-gc', '--import', 'tsx', child, JSON.stringify(options)];
  const process_ = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = next(process_, 'exit');
  const lines = createInterface({ input: process_.stdout });
  onTestFinished(async () => {
    process_.kill('SIGKILL');
    await exited;
    lines.close();
  });
  const [line] = await next(lines, 'line');
  const port = Number(line);
  const errors: Victim['errors'] = [];
  const answers = new EventEmitter();
  lines.on('line', (text) => {
    const said = JSON.parse(text) as Victim['errors'][number] | { readonly kept: number };
    if ('kept' in said) answers.emit('kept', said.kept);
    else errors.push(said);
  });
  const keeps = async (): Promise<number> => {
    const answered = next(answers, 'kept');
    process_.stdin.write('\n');
    const [bytes] = (await answered) as [number];
    return bytes;
  };
  const keptBefore = await keeps();
  const pid = process_.pid ?? 0;
  const before = peakMemory(pid);
  const url = `ws://127.0.0.1:${String(port)}`;
  return {
    port,
    url,
    errors,
    failed: async (count) => {
      while (errors.length < count) await next(lines, 'line');
    },
    kept: async () => (await keeps()) - keptBefore,
    grown: () => peakMemory(pid) - before,
  };
}
