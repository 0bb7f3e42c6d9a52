/** Frames of RFC 6455, section 5.2, mostly right. */
import fc from 'fast-check';

import { garbage } from '../inputs.ts';

const [CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG] = [0, 1, 2, 8, 9, 10];
const MASK = Buffer.of(0x12, 0x34, 0x56, 0x78);

interface Frame {
  readonly opcode: number;
  readonly fin: boolean;
  readonly reserved: number;
  readonly payload: Buffer;
  /** What the header says of the length, where that is not true. */
  readonly claims: number | undefined;
  /** Whether it is masked as it should not be, or not as it should. */
  readonly wrongMask: boolean;
}

const opcode = fc.oneof(
  { weight: 10, arbitrary: fc.constant(BINARY) },
  { weight: 8, arbitrary: fc.constantFrom(CONTINUATION, PING, PONG, CLOSE) },
  { weight: 1, arbitrary: fc.constantFrom(TEXT, 3, 11, 15) },
);
const payload = fc.oneof(
  { weight: 6, arbitrary: fc.uint8Array({ maxLength: 12 }).map((bytes) => Buffer.from(bytes)) },
  { weight: 3, arbitrary: fc.constant(Buffer.alloc(0)) },
  {
    weight: 2,
    arbitrary: fc
      .record({
        code: fc.constantFrom(1000, 1001, 1005, 1006, 1009, 3000, 4999, 5000, 0),
        reason: garbage,
      })
      .map(({ code, reason }) => Buffer.concat([Buffer.of(code >> 8, code & 255), reason])),
  },
  { weight: 1, arbitrary: fc.constant(Buffer.from('half-close')) },
  { weight: 1, arbitrary: fc.constantFrom(125, 126, 1_000, 70_000).map((n) => Buffer.alloc(n)) },
);
const claims = fc.oneof(
  { weight: 30, arbitrary: fc.constant(undefined) },
  { weight: 1, arbitrary: fc.constantFrom(0, 125, 126, 65_536, 2 ** 31, 2 ** 53) },
);
const rarely = fc.oneof(
  { weight: 40, arbitrary: fc.constant(false) },
  { weight: 1, arbitrary: fc.constant(true) },
);
const reserved = fc.oneof(
  { weight: 40, arbitrary: fc.constant(0) },
  { weight: 1, arbitrary: fc.nat(7) },
);

function encode(frame: Frame, masked: boolean): Buffer {
  const { claims: length = frame.payload.length } = frame;
  const isMasked = masked !== frame.wrongMask;
  const first = (frame.fin ? 0x80 : 0) | (frame.reserved << 4) | frame.opcode;
  const bit = isMasked ? 0x80 : 0;
  let header = Buffer.of(first, bit | length);
  if (length >= 65_536) {
    header = Buffer.alloc(10);
    header.set([first, bit | 127]);
    header.writeBigUInt64BE(BigInt(length), 2);
  } else if (length >= 126) {
    header = Buffer.of(first, bit | 126, length >> 8, length & 255);
  }
  if (!isMasked) return Buffer.concat([header, frame.payload]);
  const body = frame.payload.map((byte, i) => byte ^ (MASK[i % 4] ?? 0));
  return Buffer.concat([header, MASK, body]);
}

/** Returns one frame, masked as a client's is or not, or bytes that are none. */
export function frameBytes(masked: boolean): fc.Arbitrary<Buffer> {
  const frame = fc
    .record({
      opcode,
      fin: rarely.map((no) => !no),
      reserved,
      payload,
      claims,
      wrongMask: rarely,
    })
    .map((one) => encode(one, masked));
  return fc.oneof({ weight: 25, arbitrary: frame }, { weight: 1, arbitrary: garbage });
}
