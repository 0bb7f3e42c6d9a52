/** Inputs that once reached something new, a line each: variant, chunks in hex, what came of it. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';

import type { Input } from './target.ts';

export interface Entry {
  readonly input: Input;
  readonly outcome: string;
}

/** Inputs that are kept of each target. */
const MAX_ENTRIES = 250;

function pathOf(name: string): URL {
  return new URL(`corpus/${name}.txt`, import.meta.url);
}

/** Returns an input as a line without spaces at its ends. */
export function format({ variant, chunks }: Input): string {
  return [String(variant), ...chunks.map((chunk) => chunk.toString('hex'))].join(' ');
}

export function parse(line: string): Entry {
  const [bytes = '', outcome = ''] = line.split(' # ');
  const [variant, ...chunks] = bytes.split(' ');
  return {
    input: { variant: Number(variant), chunks: chunks.map((hex) => Buffer.from(hex, 'hex')) },
    outcome,
  };
}

/** Returns the inputs that are kept for a target. */
export function load(name: string): Entry[] {
  const path = pathOf(name);
  if (!existsSync(path)) return [];
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map(parse);
}

/** Keeps those, the shortest first. Returns how many are kept. */
export function save(name: string, entries: readonly Entry[]): number {
  const lines = entries
    .map(({ input, outcome }) => `${format(input)} # ${outcome}`)
    .slice(0, MAX_ENTRIES)
    .sort((a, b) => a.length - b.length || (a < b ? -1 : 1));
  writeFileSync(pathOf(name), lines.map((line) => `${line}\n`).join(''));
  return lines.length;
}
