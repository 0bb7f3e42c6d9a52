import { WsConnError } from '../base/errors.ts';

/**
 * Line that both ends send first: the protocol id of multistream-select 1.0.0 (libp2p/specs,
 * connections/README.md).
 */
export const HEADER = '/multistream/1.0.0';
/** Refuses a proposal: "not available". */
export const NOT_AVAILABLE = 'na';
/** Asks for the names that can be proposed. */
export const LIST = 'ls';

/**
 * Bytes of the longest line, its newline included and its length not: what go-multistream and
 * @libp2p/multistream-select accept.
 */
export const MAX_LINE_BYTES = 1024;

const NEWLINE = 0x0a;
/** Set in every byte of a varint but the last; a byte holds seven bits of the number. */
const MORE = 0x80;
/** Bytes of a line from outside that a message shows. */
const MAX_SHOWN = 60;

/** Formats a number as an unsigned varint (LEB128), the lowest seven bits first. */
function varint(value: number): number[] {
  return value < MORE ? [value] : [(value % MORE) + MORE, ...varint(Math.floor(value / MORE))];
}

function withLength(bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from(varint(bytes.length)), bytes]);
}

/** Formats a line: its length in bytes as a varint, the text in UTF-8, a newline. */
export function formatLine(text: string): Buffer {
  return withLength(Buffer.from(`${text}\n`));
}

/**
 * Formats the answer to `ls`: a line that holds a line for each name. It may be longer than the
 * limit; the end that asks has one of its own for it (go-multistream: 64 KiB).
 */
export function formatList(names: readonly string[]): Buffer {
  return withLength(Buffer.concat([...names.map(formatLine), Buffer.of(NEWLINE)]));
}

/** Returns the beginning of a line from outside, safe to print. */
export function shown(line: Buffer): string {
  const text = line.toString('latin1', 0, MAX_SHOWN).replace(/[^ -~]/g, '?');
  return JSON.stringify(line.length > MAX_SHOWN ? `${text}...` : text);
}

/**
 * Puts one line after the other together. It says how many bytes it can take, which is never one
 * beyond the end of a line: what follows the last line is not its own.
 */
export class LineDecoder {
  /** First byte of a length that has a second one. */
  #lengthBegun: number | undefined;
  #line: Buffer | undefined;
  #filled = 0;

  /** Bytes that it can take now, at least 1. */
  get wanted(): number {
    return this.#line ? this.#line.length - this.#filled : 1;
  }

  /** Whether the next byte begins a line. */
  get atBorder(): boolean {
    return this.#line === undefined && this.#lengthBegun === undefined;
  }

  /**
   * Takes 1 to `wanted` bytes. Returns the line that ends with them, without its newline.
   * @throws `EMSGSIZE` for a line over the limit, `EPROTO` for what is no line. The decoder is of no
   * use afterwards.
   */
  take(bytes: Buffer): Buffer | undefined {
    if (!this.#line) {
      this.#takeLength(bytes[0] ?? 0);
      return undefined;
    }
    bytes.copy(this.#line, this.#filled);
    this.#filled += bytes.length;
    if (this.wanted > 0) return undefined;
    const line = this.#line;
    this.#line = undefined;
    if (line.at(-1) !== NEWLINE) {
      throw new WsConnError('EPROTO', `a line does not end with a newline: ${shown(line)}`);
    }
    return line.subarray(0, -1);
  }

  #takeLength(byte: number): void {
    if (this.#lengthBegun === undefined) {
      if (byte >= MORE) this.#lengthBegun = byte;
      else this.#begin(byte);
      return;
    }
    // A third byte stands for 16 KiB and more.
    if (byte >= MORE) throw tooLong('16 KiB or more');
    if (byte === 0) throw new WsConnError('EPROTO', 'the length of a line is padded');
    const length = this.#lengthBegun - MORE + byte * MORE;
    this.#lengthBegun = undefined;
    this.#begin(length);
  }

  #begin(length: number): void {
    if (length > MAX_LINE_BYTES) throw tooLong(`${String(length)} bytes`);
    if (length === 0) throw new WsConnError('EPROTO', 'a line of no bytes, not even a newline');
    this.#line = Buffer.alloc(length);
    this.#filled = 0;
  }
}

function tooLong(length: string): WsConnError {
  const limit = `${String(MAX_LINE_BYTES)} bytes are the limit`;
  return new WsConnError('EMSGSIZE', `a line of multistream-select has ${length}; ${limit}`);
}
