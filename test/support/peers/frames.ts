import { randomBytes } from 'node:crypto';

/** Opcodes of RFC 6455, section 5.2. */
export const CONTINUATION = 0x0;
export const TEXT = 0x1;
export const BINARY = 0x2;
export const CLOSE = 0x8;
export const PING = 0x9;
export const PONG = 0xa;

/** One frame as it was on the wire, unmasked. */
export interface Frame {
  readonly fin: boolean;
  readonly opcode: number;
  readonly masked: boolean;
  readonly payload: Buffer;
}

export interface FrameOptions {
  readonly fin?: boolean;
  readonly masked: boolean;
  /** The three reserved bits as a number: 4, 2 and 1. */
  readonly reserved?: number;
  /** What the header says of the length, where that is not true. */
  readonly claims?: number;
}

/** Builds a frame by hand, right or wrong. */
export function frame(opcode: number, payload: Uint8Array, options: FrameOptions): Buffer {
  const { fin = true, masked, reserved = 0, claims = payload.length } = options;
  const first = (fin ? 0x80 : 0) | (reserved << 4) | opcode;
  const maskBit = masked ? 0x80 : 0;
  let header: Buffer;
  if (claims < 126) {
    header = Buffer.of(first, maskBit | claims);
  } else if (claims < 65_536) {
    header = Buffer.of(first, maskBit | 126, claims >> 8, claims & 0xff);
  } else {
    header = Buffer.alloc(10);
    header.set([first, maskBit | 127]);
    header.writeBigUInt64BE(BigInt(claims), 2);
  }
  if (!masked) return Buffer.concat([header, payload]);
  const mask = randomBytes(4);
  return Buffer.concat([header, mask, unmask(payload, mask)]);
}

/** Returns the payload of a Close frame. */
export function closePayload(code?: number, reason = ''): Buffer {
  if (code === undefined) return Buffer.alloc(0);
  return Buffer.concat([Buffer.of(code >> 8, code & 0xff), Buffer.from(reason)]);
}

function unmask(payload: Uint8Array, mask: Uint8Array): Buffer {
  const bytes = Buffer.from(payload);
  for (let i = 0; i < bytes.length; i++) bytes[i] = (bytes[i] ?? 0) ^ (mask[i % 4] ?? 0);
  return bytes;
}

/** Reads the bytes of a connection, and returns the frames that are whole. */
export class FrameReader {
  #bytes = Buffer.alloc(0);

  *take(chunk: Uint8Array): Generator<Frame, void, void> {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    for (let found = this.#next(); found; found = this.#next()) yield found;
  }

  #next(): Frame | null {
    const bytes = this.#bytes;
    if (bytes.length < 2) return null;
    const [first = 0, second = 0] = bytes;
    const masked = (second & 0x80) !== 0;
    let length = second & 0x7f;
    let at = 2;
    if (length === 126) {
      if (bytes.length < 4) return null;
      length = bytes.readUInt16BE(2);
      at = 4;
    } else if (length === 127) {
      if (bytes.length < 10) return null;
      length = Number(bytes.readBigUInt64BE(2));
      at = 10;
    }
    const start = masked ? at + 4 : at;
    if (bytes.length < start + length) return null;
    const payload = bytes.subarray(start, start + length);
    this.#bytes = bytes.subarray(start + length);
    return {
      fin: (first & 0x80) !== 0,
      opcode: first & 0x0f,
      masked,
      payload: masked ? unmask(payload, bytes.subarray(at, start)) : payload,
    };
  }
}
