// Shows that the stress suite finds what it looks for: plants one fault at a time in a copy of the
// sources and runs the model test over it.
//
//   npm run stress:faults
//
// Prints in how many histories each was found and how short the history is that shows it. Exit code
// 1 where one is not found.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';

const ROOT = path.join(import.meta.dirname, '../..');
/** Time in s within which each fault must be found. */
const SECONDS = 60;
const SEED = 4_711;

interface Fault {
  readonly name: string;
  readonly file: string;
  /** Code that is there, once, and what takes its place. */
  readonly from: string;
  readonly to: string;
}

const faults: readonly Fault[] = [
  {
    name: "a second 'close'",
    file: 'src/base/close-outcome.ts',
    from: "this.#emitter.emit('close', ...args);",
    to: "this.#emitter.emit('close', ...args); this.#emitter.emit('close', ...args);",
  },
  {
    name: 'an error that is swallowed',
    file: 'src/adapter/connection.ts',
    from: 'this.#stream.destroy(error ?? undefined);',
    to: 'this.#stream.destroy();',
  },
  {
    name: 'the last chunk is lost',
    file: 'src/base/receive-buffer.ts',
    from: "this.#end = 'waiting';",
    to: "this.#end = 'waiting'; this.#single = null; this.#queue.clear();",
  },
  {
    name: 'a cut that is shown as an end',
    file: 'src/adapter/link/connection-errors.ts',
    from: 'closed.tcpEnded && tcpEndIsEof;',
    to: 'closed.tcpEnded;',
  },
  {
    name: 'a write that is called back twice',
    file: 'src/base/pending-write.ts',
    from: 'callback(error ?? (this.#losing',
    to: 'callback(error); callback(error ?? (this.#losing',
  },
  {
    name: 'a listener that is left',
    file: 'src/adapter/link/link.ts',
    from: "ws.off('message', this.#onMessage);",
    to: '',
  },
  {
    name: 'a ping loop that is started twice',
    file: 'src/adapter/adapter.ts',
    from: 'if (this.#keepalive) return this.#keepalive;',
    to: '',
  },
  {
    name: 'a close() that returns null after an error',
    file: 'src/base/close-outcome.ts',
    from: 'this.onceClosed(() => {\n        resolve(this.#error);',
    to: 'this.onceClosed(() => {\n        resolve(null);',
  },
  {
    name: 'a write after FIN',
    file: 'src/adapter/half-close.ts',
    from: 'if (!error) this.#onFinSent();',
    to: "if (!error) this.#onFinSent(); this.#ws.send('late');",
  },
  {
    name: 'a timer that is left',
    file: 'src/base/socket-duplex.ts',
    from: 'this.#idle.stop();\n    this.hangUp(',
    to: 'this.hangUp(',
  },
];

/** Copies what the model test needs; the packages are those of the original. */
function copy(): string {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'faults-'));
  for (const part of [
    'src',
    'test/setup',
    'test/stress',
    'test/support',
    'package.json',
    'tsconfig.json',
  ]) {
    cpSync(path.join(ROOT, part), path.join(folder, part), { recursive: true });
  }
  symlinkSync(path.join(ROOT, 'node_modules'), path.join(folder, 'node_modules'));
  return folder;
}

/** Returns what the model test says of the copy with the fault, or null where it finds nothing. */
async function find(folder: string, { file, from, to }: Fault): Promise<string | null> {
  const target = path.join(folder, file);
  const original = readFileSync(target, 'utf8');
  if (original.split(from).length !== 2) throw new Error(`${file} has not one place with ${from}`);
  writeFileSync(
    target,
    original.replace(from, () => to),
  );
  const args = ['--only', 'model', '--seconds', String(SECONDS), '--seed', String(SEED)];
  const stress = spawn(process.execPath, ['--import', 'tsx', 'test/stress/main.ts', ...args], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const [said, [code]] = await Promise.all([
    text(stress.stderr),
    once(stress, 'close') as Promise<[number]>,
  ]);
  writeFileSync(target, original);
  if (code === 0) return null;
  const [, histories = '?'] = /found in (\d+) histories/.exec(said) ?? [];
  const [, steps] = /to (\d+) steps/.exec(said) ?? [];
  if (histories === '?') throw new Error(said);
  return `found in ${histories.padStart(5)} histories, shown by ${String(steps)} step${steps === '1' ? '' : 's'}`;
}

const folder = copy();
let missed = 0;
try {
  for (const fault of faults) {
    const found = await find(folder, fault);
    if (found === null) missed++;
    console.log(`${found === null ? '✗' : '✓'} ${fault.name.padEnd(44)} ${found ?? 'not found'}`);
  }
} finally {
  rmSync(folder, { recursive: true });
}
process.exit(missed === 0 ? 0 : 1);
