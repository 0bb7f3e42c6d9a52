/** What is fuzzed: code that takes bytes of a peer, and what must hold whatever the bytes are. */
import type fc from 'fast-check';

import { codeOf } from '../../../src/base/errors.ts';

/** Bytes of a peer as they arrive, and in which situation. */
export interface Input {
  /** A small number whose bits pick role, options, reader and end; each target has its own. */
  readonly variant: number;
  readonly chunks: readonly Buffer[];
}

export interface Target {
  readonly name: string;
  /** Its share of the time, against the others. */
  readonly weight: number;
  readonly inputs: fc.Arbitrary<Input>;
  /**
   * Feeds the input, waits for the end, and returns what came of it, a few words each: an input
   * with words that no other has had has reached something new.
   * @throws Broken
   */
  run(input: Input): Promise<string[]> | string[];
}

/** A promise was broken; the message says which. */
export class Broken extends Error {}

/** Codes that docs/api.md has for what a peer can do. */
const KNOWN_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EMSGSIZE',
  'EPIPE',
  'EPROTO',
  'EPROTONOSUPPORT',
  'ETIMEDOUT',
]);

/** What Node's HTTP parser says of an answer that is no HTTP. */
const OF_HTTP = /^HPE_/;

export function check(holds: boolean, promise: string): void {
  if (!holds) throw new Broken(`broken: ${promise}`);
}

/** Checks that the error has one of the documented codes. */
export function checkKnown(error: Error, isHandshake = false): void {
  const code = codeOf(error) ?? 'none';
  const known = KNOWN_CODES.has(code) || (isHandshake && OF_HTTP.test(code));
  check(known, `an error has a known code, and not ${code}: ${String(error.stack)}`);
}

/** Returns what kind of error it is, without what is of one input alone. */
export function kindOf(error: Error | null | undefined): string {
  if (!error) return 'no error';
  const [summary = '', happened = ''] = error.message.split(': ');
  const words = `${summary}: ${happened}`.replace(/["'(].*$/s, '').replace(/\d+/g, '#');
  return `${codeOf(error) ?? error.name} ${words.trim()}`;
}

/** Returns a number as a word, so that it does not make an outcome of its own each. */
export function few(count: number): string {
  return ['no', 'one', 'two'][count] ?? 'many';
}

/** Returns `width` bits of a variant from bit number `at` on. */
export function bits({ variant }: Input, at: number, width = 1): number {
  return (variant >> at) & ((1 << width) - 1);
}
