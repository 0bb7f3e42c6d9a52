/**
 * Lengths, types, flags and codes are those of hashicorp/yamux (its spec.md): every header is 12
 * bytes, big endian: version (1), type (1), flags (2), stream id (4), length (4). Only a Data frame
 * has a body, of `length` bytes.
 */
export const HEADER_SIZE = 12;

/** The one version that there is. */
export const VERSION = 0;

/**
 * What a frame is for. The length means: bytes of body, bytes of window, an opaque value to echo, a
 * reason.
 */
export const FrameType = { data: 0, windowUpdate: 1, ping: 2, goAway: 3 } as const;

/** Bits of the flags. A ping is asked with SYN and answered with ACK. */
export const Flag = { syn: 1, ack: 2, fin: 4, rst: 8 } as const;

/** Every bit that has a meaning. */
export const KNOWN_FLAGS = Flag.syn | Flag.ack | Flag.fin | Flag.rst;

/** Why a session ends, in a GoAway frame. */
export const GoAwayCode = { normal: 0, protocolError: 1, internalError: 2 } as const;

/**
 * Bytes that each side may send on a new stream before it hears of a window: spec.md, section Flow
 * Control.
 */
export const INITIAL_WINDOW = 262_144;

/** Largest number that fits the id and the length of a header. */
export const MAX_UINT32 = 0xffff_ffff;

/** Has the fields of a header, as they came. */
export interface FrameHeader {
  readonly version: number;
  readonly type: number;
  readonly flags: number;
  /** 0 for the session; odd for a stream of the client, even for one of the server. */
  readonly streamId: number;
  readonly length: number;
}

/** Writes a header of the one version into `target` at `offset`. */
export function encodeHeader(
  target: Buffer,
  offset: number,
  type: number,
  flags: number,
  streamId: number,
  length: number,
): void {
  target[offset] = VERSION;
  target[offset + 1] = type;
  target.writeUInt16BE(flags, offset + 2);
  target.writeUInt32BE(streamId, offset + 4);
  target.writeUInt32BE(length, offset + 8);
}

/** Reads the header at `offset`, as it stands: what is wrong with it is for the session to say. */
export function decodeHeader(source: Buffer, offset: number): FrameHeader {
  return {
    version: source.readUInt8(offset),
    type: source.readUInt8(offset + 1),
    flags: source.readUInt16BE(offset + 2),
    streamId: source.readUInt32BE(offset + 4),
    length: source.readUInt32BE(offset + 8),
  };
}

/** What a decoder reports. */
export interface FrameEvents {
  /** A header is complete; the body of a Data frame follows in pieces. */
  readonly onHeader: (header: FrameHeader) => void;
  /**
   * The next bytes of the body have come, and `left` bytes of it are still to come. A view, not a
   * copy.
   */
  readonly onBody: (piece: Buffer, left: number) => void;
}

/**
 * Takes a stream of bytes apart into frames, however it is cut. It keeps at most the part of one
 * header: bodies are passed on as they come, so that no frame is too large for it.
 */
export class FrameDecoder {
  readonly #events: FrameEvents;
  readonly #partial = Buffer.alloc(HEADER_SIZE);
  #filled = 0;
  #bodyLeft = 0;
  #stopped = false;

  constructor(events: FrameEvents) {
    this.#events = events;
  }

  /** Whether all bytes so far were whole frames: an end of the stream here cuts nothing. */
  get atBorder(): boolean {
    return this.#filled === 0 && this.#bodyLeft === 0;
  }

  /** Ignores all further bytes, also those of the chunk that is being decoded. */
  stop(): void {
    this.#stopped = true;
  }

  decode(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length && !this.#stopped) {
      if (this.#bodyLeft > 0) {
        at += this.#passBody(chunk, at);
      } else if (this.#filled === 0 && chunk.length - at >= HEADER_SIZE) {
        const header = decodeHeader(chunk, at);
        at += HEADER_SIZE;
        this.#passHeader(header);
      } else {
        at += this.#collect(chunk, at);
      }
    }
  }

  #passBody(chunk: Buffer, at: number): number {
    const length = Math.min(this.#bodyLeft, chunk.length - at);
    this.#bodyLeft -= length;
    this.#events.onBody(chunk.subarray(at, at + length), this.#bodyLeft);
    return length;
  }

  #passHeader(header: FrameHeader): void {
    if (header.type === FrameType.data) this.#bodyLeft = header.length;
    this.#events.onHeader(header);
  }

  #collect(chunk: Buffer, at: number): number {
    const copied = chunk.copy(this.#partial, this.#filled, at);
    this.#filled += copied;
    if (this.#filled === HEADER_SIZE) {
      this.#filled = 0;
      this.#passHeader(decodeHeader(this.#partial, 0));
    }
    return copied;
  }
}
