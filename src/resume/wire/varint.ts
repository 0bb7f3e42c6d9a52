/** Bytes of the longest number: seven bits in each, and a number is below 2^53. */
export const MAX_VARINT = 8;

/** Returns how many bytes a number takes. */
export function varintLength(value: number): number {
  let length = 1;
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) length++;
  return length;
}

/**
 * Writes a number below 2^53 as unsigned LEB128, the varint of Protocol Buffers and of Go's
 * encoding/binary: seven bits a byte, the lowest first, the high bit set in all bytes but the last.
 * Returns the offset behind it.
 */
export function writeVarint(target: Buffer, value: number, offset: number): number {
  let at = offset;
  let rest = value;
  // Not bit operations: they have 32 bits.
  while (rest >= 128) {
    target[at++] = (rest % 128) + 128;
    rest = Math.floor(rest / 128);
  }
  target[at++] = rest;
  return at;
}

/** Reads numbers one after another from where a message has them. */
export class VarintReader {
  readonly #source: Buffer;
  #offset: number;

  constructor(source: Buffer, offset: number) {
    this.#source = source;
    this.#offset = offset;
  }

  /** Where the next byte is. */
  get offset(): number {
    return this.#offset;
  }

  /** Reads the next number; undefined where it is cut off, or too large. */
  next(): number | undefined {
    let value = 0;
    let scale = 1;
    for (let read = 0; read < MAX_VARINT; read++) {
      const byte = this.#source[this.#offset];
      if (byte === undefined) return undefined;
      this.#offset++;
      value += (byte % 128) * scale;
      if (byte < 128) return Number.isSafeInteger(value) ? value : undefined;
      scale *= 128;
    }
    return undefined;
  }
}
