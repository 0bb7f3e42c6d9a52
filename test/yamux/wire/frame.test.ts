import { describe, expect, test } from 'vitest';

import { bytesOf, cutAtRandom, sha256 } from '../../../src/conformance/frame/bytes.ts';
import {
  decodeHeader,
  encodeHeader,
  FrameDecoder,
  type FrameHeader,
  FrameType,
  HEADER_SIZE,
} from '../../../src/yamux/wire/frame.ts';

interface Frame {
  readonly header: FrameHeader;
  readonly body: Buffer;
}

function encode(
  type: number,
  flags: number,
  streamId: number,
  length: number,
  body: Buffer = Buffer.alloc(0),
): Buffer {
  const header = Buffer.alloc(HEADER_SIZE);
  encodeHeader(header, 0, type, flags, streamId, length);
  return Buffer.concat([header, body]);
}

/** Decodes all at once, the plain way: what the decoder has to come to, however it is fed. */
function oracle(bytes: Buffer): Frame[] {
  const frames: Frame[] = [];
  for (let at = 0; at < bytes.length;) {
    const view = new DataView(bytes.buffer, bytes.byteOffset + at, HEADER_SIZE);
    const header = {
      version: view.getUint8(0),
      type: view.getUint8(1),
      flags: view.getUint16(2),
      streamId: view.getUint32(4),
      length: view.getUint32(8),
    };
    at += HEADER_SIZE;
    const bodyLength = header.type === FrameType.data ? header.length : 0;
    frames.push({ header, body: bytes.subarray(at, at + bodyLength) });
    at += bodyLength;
  }
  return frames;
}

/** Feeds chunks to a decoder, and puts the pieces of each body together. */
function decode(chunks: Iterable<Buffer>): Frame[] {
  const frames: { readonly header: FrameHeader; body: Buffer }[] = [];
  const decoder = new FrameDecoder({
    onHeader: (header) => frames.push({ header, body: Buffer.alloc(0) }),
    onBody: (piece, left) => {
      const frame = frames.at(-1);
      if (!frame) throw new Error('a body came before any header');
      frame.body = Buffer.concat([frame.body, piece]);
      // No expect() here: of a hundred thousand pieces, it would take longer than all else.
      if (frame.body.length + left !== frame.header.length)
        throw new Error('the body has another length');
    },
  });
  for (const chunk of chunks) decoder.decode(chunk);
  expect(decoder.atBorder).toBe(true);
  return frames;
}

/** Comparing long bodies byte by byte is slow in a test runner; their digests tell as much. */
function digest({ header, body }: Frame): { header: FrameHeader; body: string } {
  return { header, body: sha256(body) };
}

describe('the codec', () => {
  test('lays a header out as the specification says', () => {
    expect(encode(1, 0x0102, 0x0304_0506, 0x0708_090a).toString('hex')).toBe(
      '00010102030405060708090a',
    );
  });

  test('reads back every header that it writes', () => {
    const numbers = [0, 1, 0x7fff, 0xffff];
    const longs = [0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff];
    for (const type of [0, 1, 2, 3, 255]) {
      for (const flags of numbers) {
        for (const streamId of longs) {
          for (const length of longs) {
            const header = { version: 0, type, flags, streamId, length };
            expect(decodeHeader(encode(type, flags, streamId, length), 0)).toEqual(header);
          }
        }
      }
    }
  });

  test('gives the same frames for every cut in two', () => {
    const whole = encode(FrameType.data, 0, 3, 20, Buffer.alloc(20, 'x'));
    const bytes = Buffer.concat([whole, encode(FrameType.ping, 1, 0, 7), whole]);
    const expected = oracle(bytes);
    for (let cut = 0; cut <= bytes.length; cut++) {
      expect(decode([bytes.subarray(0, cut), bytes.subarray(cut)])).toEqual(expected);
    }
  });

  test('gives the same frames for every cut of a header in three', () => {
    const bytes = encode(FrameType.data, 0, 3, 2, Buffer.from('ab'));
    const expected = oracle(bytes);
    for (let first = 0; first <= HEADER_SIZE; first++) {
      for (let second = first; second <= bytes.length; second++) {
        const chunks = [
          bytes.subarray(0, first),
          bytes.subarray(first, second),
          bytes.subarray(second),
        ];
        expect(decode(chunks)).toEqual(expected);
      }
    }
  });

  test('gives the same frames byte by byte', () => {
    const bytes = Buffer.concat([
      encode(FrameType.data, 0, 1, 3, Buffer.from('abc')),
      encode(FrameType.goAway, 0, 0, 1),
    ]);
    expect(decode(Array.from(bytes, (byte) => Buffer.of(byte)))).toEqual(oracle(bytes));
  });

  test('gives the same frames for chaotic chunks', () => {
    const parts: Buffer[] = [];
    const random = bytesOf(1, 4_000);
    for (let i = 0; i < 1_000; i++) {
      const type = (random[i] ?? 0) % 4;
      const body = bytesOf(i, type === FrameType.data ? (random[i + 1_000] ?? 0) * 7 : 0);
      const length = type === FrameType.data ? body.length : random.readUInt32BE(2 * i);
      parts.push(encode(type, (random[i + 2_000] ?? 0) % 16, i, length, body));
    }
    const bytes = Buffer.concat(parts);
    const expected = oracle(bytes).map(digest);
    for (let seed = 0; seed < 5; seed++) {
      const frames = decode(cutAtRandom(bytes, seed, 10 ** (seed + 1)));
      expect(frames.map(digest)).toEqual(expected);
    }
  });

  test('passes a body on as it comes, whatever its length says', () => {
    const pieces: number[] = [];
    const decoder = new FrameDecoder({
      onHeader: () => undefined,
      onBody: (piece, left) => pieces.push(piece.length, left),
    });
    decoder.decode(encode(FrameType.data, 0, 1, 0xffff_ffff, Buffer.alloc(10)));
    decoder.decode(Buffer.alloc(100));
    expect(pieces).toEqual([10, 0xffff_ffff - 10, 100, 0xffff_ffff - 110]);
    expect(decoder.atBorder).toBe(false);
  });

  test('ignores what follows a stop, also within the chunk', () => {
    let headers = 0;
    const decoder = new FrameDecoder({
      onHeader: () => {
        headers++;
        decoder.stop();
      },
      onBody: () => undefined,
    });
    const ping = encode(FrameType.ping, 1, 0, 0);
    decoder.decode(Buffer.concat([ping, ping]));
    decoder.decode(ping);
    expect(headers).toBe(1);
  });
});
