import { describe, expect, test } from 'vitest';

import {
  formatLine,
  formatList,
  LineDecoder,
  MAX_LINE_BYTES,
  shown,
} from '../../src/multistream/line.ts';

/** Feeds a decoder byte by byte; returns the lines and how many bytes it took. */
function decode(bytes: Buffer): { lines: string[]; taken: number; code: unknown } {
  const decoder = new LineDecoder();
  const lines: string[] = [];
  for (const [taken, byte] of bytes.entries()) {
    try {
      const line = decoder.take(Buffer.of(byte));
      if (line) lines.push(line.toString());
    } catch (error) {
      return { lines, taken: taken + 1, code: (error as { code?: unknown }).code };
    }
  }
  return { lines, taken: bytes.length, code: undefined };
}

describe('formatLine()', () => {
  test('makes the bytes of the specification', () => {
    expect(formatLine('na').toString('hex')).toBe('036e610a');
    expect(formatLine('ls').toString('hex')).toBe('036c730a');
    expect(formatLine('/multistream/1.0.0').toString('latin1')).toBe('\x13/multistream/1.0.0\n');
  });

  test('counts bytes, not characters, and takes two of them for a length of 128 and more', () => {
    expect([...formatLine('é').subarray(0, 2)]).toEqual([3, 0xc3]);
    expect([...formatLine('x'.repeat(126)).subarray(0, 1)]).toEqual([127]);
    expect([...formatLine('x'.repeat(127)).subarray(0, 2)]).toEqual([0x80, 1]);
    expect([...formatLine('x'.repeat(1023)).subarray(0, 2)]).toEqual([0x80, 8]);
  });
});

test('formatList() makes a line of lines', () => {
  expect(formatList(['/a', '/bc']).toString('latin1')).toBe('\x0a\x03/a\n\x04/bc\n\n');
  const long = Array.from({ length: 9_000 }, () => '/a');
  expect([...formatList(long).subarray(0, 3)]).toEqual([0x80 + 0x21, 0x80 + 0x19, 2]);
});

describe('LineDecoder', () => {
  test('puts lines together, and knows where one begins', () => {
    const bytes = Buffer.concat(['na', '', 'x'.repeat(1023), '/a'].map(formatLine));
    expect(decode(bytes)).toEqual({
      lines: ['na', '', 'x'.repeat(1023), '/a'],
      taken: bytes.length,
      code: undefined,
    });
    const decoder = new LineDecoder();
    const borders = [...formatLine('x'.repeat(200))].map((byte) => {
      const { atBorder } = decoder;
      decoder.take(Buffer.of(byte));
      return atBorder;
    });
    expect(borders.filter(Boolean)).toHaveLength(1);
    expect(borders[0]).toBe(true);
    expect(decoder.atBorder).toBe(true);
  });

  test('never wants a byte beyond the end of a line', () => {
    const decoder = new LineDecoder();
    expect(decoder.wanted).toBe(1);
    decoder.take(Buffer.of(3));
    expect(decoder.wanted).toBe(3);
    decoder.take(Buffer.from('n'));
    expect(decoder.wanted).toBe(2);
    expect(String(decoder.take(Buffer.from('a\n')))).toBe('na');
    expect(decoder.wanted).toBe(1);
  });

  test.each([
    ['a line without a newline', '036e6161', 'EPROTO', 4],
    ['a line of no bytes', '00', 'EPROTO', 1],
    ['a padded length', '8300', 'EPROTO', 2],
    ['a length of 1025', '8108', 'EMSGSIZE', 2],
    ['a length that never ends', '80'.repeat(12), 'EMSGSIZE', 2],
    [
      'the beginning of an SSH session',
      Buffer.from('SSH-2.0-x\r\n'.repeat(20)).toString('hex'),
      'EPROTO',
      84,
    ],
  ])('refuses %s', (_, hex, code, taken) => {
    expect(decode(Buffer.from(hex, 'hex'))).toEqual({ lines: [], taken, code });
  });

  test(`takes a line of ${String(MAX_LINE_BYTES)} bytes`, () => {
    const { lines, code } = decode(Buffer.from(`8008${'61'.repeat(1023)}0a`, 'hex'));
    expect({ length: lines[0]?.length, code }).toEqual({ length: 1023, code: undefined });
  });
});

test('shown() makes a short line without a surprise', () => {
  expect(shown(Buffer.from('/a\x1b[2J\u0085"\n'))).toBe('"/a?[2J??\\"?"');
  expect(shown(Buffer.from('x'.repeat(100)))).toBe(`"${'x'.repeat(60)}..."`);
});
