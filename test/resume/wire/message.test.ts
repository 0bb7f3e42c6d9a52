import fc from 'fast-check';
import { expect, test } from 'vitest';

import {
  closeText,
  decode,
  encodeAck,
  encodeClose,
  encodeFin,
  encodeHello,
  ID_BYTES,
  MAX_DATA_HEADER,
  type Progress,
  writeDataHeader,
} from '../../../src/resume/wire/message.ts';

const LARGEST = Number.MAX_SAFE_INTEGER;
const ID = Buffer.alloc(ID_BYTES, 0xab);

const number = fc.oneof(
  fc.integer({ min: 0, max: 300 }),
  fc.maxSafeNat(),
  fc.constantFrom(127, 128, 16_383, 16_384, 2 ** 31, 2 ** 32, 2 ** 49 - 1, 2 ** 49, LARGEST),
);
const progress: fc.Arbitrary<Progress> = fc
  .tuple(number, number)
  .map(([a, b]) => ({ received: Math.max(a, b), consumed: Math.min(a, b) }));
const someBytes = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));

function dataMessage(bytes: Buffer, told: Progress | null): Buffer {
  const message = Buffer.concat([Buffer.alloc(MAX_DATA_HEADER), bytes]);
  return message.subarray(writeDataHeader(message, MAX_DATA_HEADER, told));
}

test('data comes back with and without an acknowledgement', () => {
  const told = fc.option(progress, { nil: null });
  const property = fc.property(someBytes, told, (bytes, progress) => {
    expect(decode(dataMessage(bytes, progress))).toEqual({ type: 'data', progress, bytes });
  });
  fc.assert(property, { seed: 1 });
});

test('acknowledgements and HELLOs come back, with numbers up to 2^53 - 1', () => {
  const property = fc.property(progress, number, (progress, start) => {
    expect(decode(encodeAck(progress))).toEqual({ type: 'ack', progress });
    const hello = { id: ID, start, ...progress };
    expect(decode(encodeHello(hello))).toEqual({ type: 'hello', hello });
  });
  fc.assert(property, { seed: 2 });
});

test('FIN, END and ABORT come back', () => {
  expect(decode(encodeFin())).toEqual({ type: 'fin' });
  for (const type of ['end', 'abort'] as const) {
    for (const reason of ['', 'enough', 'ü'.repeat(61)]) {
      const close = { code: 4_999, reason };
      expect(decode(encodeClose(type, close))).toEqual({ type, close });
    }
  }
});

test('a message that is cut off anywhere is none, or one with less data', () => {
  const hello = encodeHello({ id: ID, start: LARGEST, received: LARGEST, consumed: 300 });
  for (let length = 0; length < hello.length; length++) {
    expect(decode(hello.subarray(0, length))).toBeTypeOf('string');
  }
  const ack = encodeAck({ received: LARGEST, consumed: 300 });
  for (let length = 0; length < ack.length; length++) {
    expect(decode(ack.subarray(0, length))).toBeTypeOf('string');
  }
});

test.each<[string, readonly number[], RegExp]>([
  ['an empty message', [], /empty/],
  ['an unknown type', [0x07], /unknown type 7/],
  ['an unknown type with the high bit', [0xff, 1, 2], /unknown type 255/],
  ['a FIN with bytes behind it', [0x03, 0], /FIN/],
  ['an END without a code', [0x04], /cut off/],
  ['an END with half a code', [0x04, 3], /cut off/],
  ['an ABORT with half a code', [0x05, 3], /cut off/],
  ['an END with a reason too long', [0x04, 3, 232, ...Array<number>(124).fill(97)], /longer/],
  ['an acknowledgement with bytes behind it', [0x01, 1, 1, 0], /behind/],
  ['an acknowledgement of more read than came', [0x01, 1, 2], /consumed/],
  ['data with more read than came', [0x02, 1, 2, 97], /consumed/],
  ['an acknowledgement without its second number', [0x02, 0x81], /cut off/],
  ['a number of 2^53', [0x01, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10, 0], /cut off/],
  ['a number of nine bytes', [0x01, ...Array<number>(9).fill(0x80), 0, 0], /cut off/],
])('%s is refused', (_, bytes, problem) => {
  expect(decode(Buffer.from(bytes))).toMatch(problem);
});

test('whatever comes is a message or what is wrong with it, and no number is beyond 2^53 - 1', () => {
  const type = fc.integer({ min: 0, max: 8 });
  const message = fc.tuple(type, someBytes).map(([first, rest]) => Buffer.of(first, ...rest));
  const property = fc.property(message, (bytes) => {
    const read = decode(bytes);
    if (typeof read === 'string') return;
    const told = read.type === 'hello' ? read.hello : 'progress' in read ? read.progress : null;
    if (!told) return;
    expect(Number.isSafeInteger(told.received)).toBe(true);
    expect(told.consumed).toBeLessThanOrEqual(told.received);
  });
  fc.assert(property, { seed: 3, numRuns: 5_000 });
});

test('what a peer gives as its reason is shown without its control characters', () => {
  expect(closeText({ code: 1000, reason: '' })).toBe('1000');
  expect(closeText({ code: 4000, reason: 'a\u001b[2Jb' })).not.toContain('\u001b');
});
