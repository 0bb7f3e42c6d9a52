/** LineDecoder of multistream-select, against a reader that is too simple to be wrong. */
import fc from 'fast-check';

import { codeOf } from '../../../../src/base/errors.ts';
import {
  formatLine,
  HEADER,
  LineDecoder,
  MAX_LINE_BYTES,
} from '../../../../src/multistream/line.ts';
import { garbage, inputsOf } from '../inputs.ts';
import { check, checkKnown, few, type Input, kindOf, type Target } from '../target.ts';

/** Names that a side of the conversation knows, and some that it does not. */
export const KNOWN = ['/a', '/b/1.0.0', '/é'] as const;

const known = fc.constantFrom(HEADER, HEADER, HEADER, 'na', 'na', 'ls', '', ...KNOWN, ...KNOWN);
const unknown = fc.oneof(
  fc.constantFrom('/multistream/2.0.0', '/a ', '/A', 'a', '/x', '/b', '\n', '/a\n', '/\u{fffd}'),
  fc.string({ unit: 'binary', maxLength: 12 }),
);
const long = fc
  .oneof(fc.integer({ min: 120, max: 1_030 }), fc.constantFrom(126, 127, 1_022, 1_023, 1_024))
  .map((size) => '/'.padEnd(size, 'n'));
/** A length alone: right, padded, too large, or one that never ends. */
const length = fc.oneof(
  fc.nat(255).map((byte) => [byte]),
  fc.tuple(fc.integer({ min: 0x80, max: 0xff }), fc.nat(255)).map((bytes) => [...bytes]),
  fc.integer({ min: 2, max: 20 }).map((count) => Array.from({ length: count }, () => 0x80)),
);

/** One line, or bytes that are none. */
export const lineBytes: fc.Arbitrary<Buffer> = fc.oneof(
  { weight: 20, arbitrary: known.map(formatLine) },
  { weight: 5, arbitrary: unknown.map(formatLine) },
  { weight: 1, arbitrary: long.map(formatLine) },
  { weight: 1, arbitrary: length.map((bytes) => Buffer.from(bytes)) },
  { weight: 1, arbitrary: fc.string({ maxLength: 8 }).map((text) => Buffer.from(`\x08${text}`)) },
  { weight: 1, arbitrary: garbage },
);

/** What a reader comes to: lines, what follows them, and why it can read no further. */
export interface Lines {
  /** Each in latin1, with where it ends. */
  readonly lines: readonly { readonly text: string; readonly end: number }[];
  readonly fails: 'EMSGSIZE' | 'EPROTO' | undefined;
  /** Whether all bytes are whole lines. */
  readonly atBorder: boolean;
}

/** Reads all at once: a varint of at most two bytes, so many bytes, the last of them a newline. */
export function oracle(bytes: Buffer): Lines {
  const lines: { text: string; end: number }[] = [];
  for (let at = 0; ;) {
    const incomplete = { lines, fails: undefined, atBorder: at === bytes.length };
    const [first, second] = [bytes.at(at), bytes.at(at + 1)];
    if (at >= bytes.length || first === undefined) return incomplete;
    let [start, size] = [at + 1, first];
    if (first > 127) {
      if (at + 1 >= bytes.length || second === undefined) return incomplete;
      [start, size] = [at + 2, first - 128 + 128 * second];
      if (second > 127) return { ...incomplete, fails: 'EMSGSIZE' };
      if (second === 0) return { ...incomplete, fails: 'EPROTO' };
    }
    if (size > 1024) return { ...incomplete, fails: 'EMSGSIZE' };
    if (size === 0) return { ...incomplete, fails: 'EPROTO' };
    at = start + size;
    if (at > bytes.length) return { ...incomplete, atBorder: false };
    const line = bytes.toString('latin1', start, at);
    if (!line.endsWith('\n')) return { ...incomplete, fails: 'EPROTO' };
    lines.push({ text: line.slice(0, -1), end: at });
  }
}

/** Feeds the decoder chunk by chunk, as much at a time as it wants. */
function decode(chunks: Iterable<Buffer>): { found: Lines; error: Error | null } {
  const decoder = new LineDecoder();
  const lines: { text: string; end: number }[] = [];
  let taken = 0;
  try {
    for (const chunk of chunks) {
      for (let at = 0; at < chunk.length;) {
        check(decoder.wanted > 0 && decoder.wanted <= 1024, 'a decoder wants 1 to 1024 bytes');
        const bytes = chunk.subarray(at, at + decoder.wanted);
        at += bytes.length;
        taken += bytes.length;
        const line = decoder.take(bytes);
        if (line) lines.push({ text: line.toString('latin1'), end: taken });
      }
    }
  } catch (error) {
    const fails = codeOf(error) as Lines['fails'];
    return { found: { lines, fails, atBorder: false }, error: error as Error };
  }
  return { found: { lines, fails: undefined, atBorder: decoder.atBorder }, error: null };
}

function run({ chunks }: Input): string[] {
  const bytes = Buffer.concat(chunks);
  const expected = oracle(bytes);
  const all = [chunks, [bytes], Array.from(bytes, (byte) => Buffer.of(byte))].map(decode);
  for (const { found, error } of all) {
    const same = JSON.stringify(found.lines) === JSON.stringify(expected.lines);
    check(same, 'the decoder finds the lines that the simple reader finds');
    check(found.fails === expected.fails, 'the decoder fails where the simple reader does');
    if (error) checkKnown(error);
    else check(found.atBorder === expected.atBorder, 'the decoder knows where a line begins');
  }
  const longest = Math.max(-1, ...expected.lines.map(({ text }) => text.length));
  const size = longest < 127 ? 'short' : longest < MAX_LINE_BYTES - 1 ? 'long' : 'full';
  return [`${few(expected.lines.length)} lines`, kindOf(all[0]?.error), `${size} ones`];
}

export const multistreamLines: Target = {
  name: 'multistream-lines',
  weight: 1,
  inputs: inputsOf(lineBytes, 6),
  run,
};
