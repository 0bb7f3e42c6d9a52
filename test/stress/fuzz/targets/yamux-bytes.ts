/** Frames of yamux, mostly right: what is wrong all over gets no further than the first header. */
import fc from 'fast-check';

import { encodeHeader, Flag, FrameType, HEADER_SIZE } from '../../../../src/yamux/wire/frame.ts';
import { garbage } from '../inputs.ts';

/** Bytes of a body that come; the header may promise more. */
const MAX_BODY = 300;
const WINDOW = 262_144;
const MAX_LENGTH = 0xffff_ffff;

const { syn, ack, fin, rst } = Flag;
const flags = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.constantFrom(0, syn, ack, fin, rst, syn | fin, ack | fin, syn | rst),
  },
  { weight: 1, arbitrary: fc.nat(0xffff) },
);
const type = fc.oneof(
  { weight: 30, arbitrary: fc.constantFrom<number[]>(...Object.values(FrameType)) },
  { weight: 1, arbitrary: fc.nat(255) },
);
const version = fc.oneof(
  { weight: 60, arbitrary: fc.constant(0) },
  { weight: 1, arbitrary: fc.nat(255) },
);
const streamId = fc.oneof(
  { weight: 12, arbitrary: fc.nat(8) },
  { weight: 1, arbitrary: fc.nat(MAX_LENGTH) },
);
const length = fc.oneof(
  { weight: 12, arbitrary: fc.nat(20) },
  { weight: 3, arbitrary: fc.constantFrom(MAX_BODY, WINDOW, WINDOW + 1, MAX_LENGTH) },
  { weight: 1, arbitrary: fc.nat(MAX_LENGTH) },
);

const frame: fc.Arbitrary<Buffer> = fc
  .record({ version, type, flags, streamId, length, fill: fc.nat(255) })
  .map((header) => {
    const bytes = Buffer.alloc(HEADER_SIZE);
    encodeHeader(bytes, 0, header.type, header.flags, header.streamId, header.length);
    bytes[0] = header.version;
    if (header.type !== FrameType.data) return bytes;
    return Buffer.concat([bytes, Buffer.alloc(Math.min(header.length, MAX_BODY), header.fill)]);
  });

/** A body that fills most of a window. */
const large: fc.Arbitrary<Buffer> = fc
  .record({ streamId: fc.nat(4), flags, size: fc.constantFrom(65_536, WINDOW) })
  .map(({ streamId: id, flags: bits, size }) => {
    const bytes = Buffer.alloc(HEADER_SIZE + size);
    encodeHeader(bytes, 0, FrameType.data, bits, id, size);
    return bytes;
  });

/** One frame, or bytes that are none. */
export const yamuxBytes: fc.Arbitrary<Buffer> = fc.oneof(
  { weight: 80, arbitrary: frame },
  { weight: 4, arbitrary: garbage },
  { weight: 1, arbitrary: large },
);
