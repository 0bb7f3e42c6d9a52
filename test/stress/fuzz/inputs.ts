/** Bytes of a peer, generated: from parts that mean something, and by changing inputs that are known. */
import fc from 'fast-check';

import type { Input } from './target.ts';

/** Variants are numbers of so many bits. */
const VARIANT_BITS = 12;

const variants = fc.nat(2 ** VARIANT_BITS - 1);

/** Bytes that mean nothing. */
export const garbage: fc.Arbitrary<Buffer> = fc
  .uint8Array({ maxLength: 40 })
  .map((bytes) => Buffer.from(bytes));

/** Cuts bytes at places given as shares of 65,536 of the whole. */
function cutAt(bytes: Buffer, places: readonly number[]): Buffer[] {
  const borders = places.map((place) => Math.floor((place * bytes.length) / 65_536));
  const sorted = [0, ...borders.sort((a, b) => a - b), bytes.length];
  return sorted
    .slice(1)
    .map((border, i) => bytes.subarray(sorted[i], border))
    .filter(({ length }) => length > 0);
}

const places = fc.array(fc.nat(65_535), { maxLength: 6 });

/** Returns inputs that consist of such parts, cut anywhere. */
export function inputsOf(part: fc.Arbitrary<Buffer>, maxParts = 12): fc.Arbitrary<Input> {
  return fc
    .record({ variant: variants, parts: fc.array(part, { maxLength: maxParts }), places })
    .map(({ variant, parts, places: at }) => ({
      variant,
      chunks: cutAt(Buffer.concat(parts), at),
    }));
}

interface Edit {
  readonly at: number;
  readonly do: 'set' | 'flip' | 'insert' | 'delete' | 'repeat' | 'splice';
  readonly value: number;
}

const edits: fc.Arbitrary<Edit[]> = fc.array(
  fc.record({
    at: fc.nat(65_535),
    do: fc.constantFrom<Edit['do'][]>('set', 'flip', 'insert', 'delete', 'repeat', 'splice'),
    value: fc.nat(255),
  }),
  { minLength: 1, maxLength: 4 },
);

function edit(bytes: Buffer, { at, do: what, value }: Edit, other: Buffer): Buffer {
  const place = Math.floor((at * (bytes.length + 1)) / 65_536);
  const [before, after] = [bytes.subarray(0, place), bytes.subarray(place)];
  switch (what) {
    case 'set':
      return Buffer.concat([before, Buffer.of(value), after.subarray(1)]);
    case 'flip':
      return Buffer.concat([
        before,
        ...(after.length > 0 ? [Buffer.of((after[0] ?? 0) ^ (1 << (value & 7)))] : []),
        after.subarray(1),
      ]);
    case 'insert':
      return Buffer.concat([before, Buffer.of(value), after]);
    case 'delete':
      return Buffer.concat([before, after.subarray(1 + (value & 15))]);
    case 'repeat':
      return Buffer.concat([before, after.subarray(0, value), after]);
    case 'splice':
      return Buffer.concat([before, other.subarray(Math.floor((value * other.length) / 256))]);
  }
}

/** Returns inputs that are a little different from one of these. */
export function changed(known: readonly Input[]): fc.Arbitrary<Input> {
  return fc
    .record({
      one: fc.nat(known.length - 1),
      other: fc.nat(known.length - 1),
      variant: fc.option(variants, { nil: undefined }),
      edits,
      places,
    })
    .map(({ one, other, variant, edits: all, places: at }) => {
      const base = known[one];
      const bytes = Buffer.concat(base?.chunks ?? []);
      const from = Buffer.concat(known[other]?.chunks ?? []);
      const result = all.reduce<Buffer>((done, next) => edit(done, next, from), bytes);
      return { variant: variant ?? base?.variant ?? 0, chunks: cutAt(result, at) };
    });
}
