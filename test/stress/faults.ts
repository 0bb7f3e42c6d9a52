// Shows that the stress suite finds what it looks for: plants one fault at a time in a copy of the
// sources and runs the part over it that is to find it.
//
//   npm run stress:faults
//   npm run stress:faults -- sessions      those of one part, or with that in their name
//
// Prints in how many histories each was found and how short the history is that shows it. Exit code
// 1 where one is not found.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';

import { type Fault, faults } from './planted-faults.ts';

const ROOT = path.join(import.meta.dirname, '../..');
/** Time in s within which each fault must be found. */
const SECONDS = 60;
const SEED = 4_711;

/** Copies what the parts need; the packages are those of the original. */
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

/** Returns what the part says of the copy with the fault, or null where it finds nothing. */
async function find(folder: string, { part, file, from, to }: Fault): Promise<string | null> {
  const target = path.join(folder, file);
  const original = readFileSync(target, 'utf8');
  if (original.split(from).length !== 2) throw new Error(`${file} has not one place with ${from}`);
  writeFileSync(
    target,
    original.replace(from, () => to),
  );
  const args = ['--only', part, '--seconds', String(SECONDS), '--seed', String(SEED)];
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
  const found = `found in ${histories.padStart(5)} histories of ${part}`;
  // What runs in memory shows its history by its seed.
  return steps ? `${found}, shown by ${steps} step${steps === '1' ? '' : 's'}` : found;
}

const [wanted = ''] = process.argv.slice(2);
const chosen = faults.filter(({ name, part }) => part === wanted || name.includes(wanted));
if (chosen.length === 0) throw new Error(`no fault has ${wanted} in its name`);
const folder = copy();
let missed = 0;
try {
  for (const fault of chosen) {
    const found = await find(folder, fault);
    if (found === null) missed++;
    console.log(`${found === null ? '✗' : '✓'} ${fault.name.padEnd(44)} ${found ?? 'not found'}`);
  }
} finally {
  rmSync(folder, { recursive: true });
}
process.exit(missed === 0 ? 0 : 1);
