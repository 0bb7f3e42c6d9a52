import { spawn } from 'node:child_process';
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
  /** Bytes of memory that its peak has grown by since it started. */
  grown(): number;
}

/** Starts one with these options; it is stopped when the test is over. */
export async function startVictim(options: CreateServerOptions = {}): Promise<Victim> {
  const args = ['--import', 'tsx', child, JSON.stringify(options)];
  const process_ = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
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
  lines.on('line', (text) => errors.push(JSON.parse(text) as Victim['errors'][number]));
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
    grown: () => peakMemory(pid) - before,
  };
}
