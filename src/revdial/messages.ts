import { WsConnError } from '../base/errors.ts';

/**
 * One line of a control connection, with the JSON keys of ShellHub's pkg/revdial. A key that is
 * left out is an empty string, as in Go. Commands are `keep-alive`, `conn-ready` and
 * `pickup-failed`. Others must be ignored.
 */
export interface ControlMessage {
  readonly command: string;
  /** Path and query that the device is to dial, or failed to dial. */
  readonly connPath: string;
  /** Why the device could not dial back, in words. */
  readonly err: string;
}

/**
 * Bytes of the longest line, its newline included. ShellHub reads lines with a bufio.Reader of the
 * default size (4096, Go's bufio) and ends the control connection over one that does not fit.
 */
export const MAX_LINE_BYTES = 4096;

/**
 * Characters of an error that are passed on: with each of them escaped (`\u001f`), the line still
 * has room for a path.
 */
const MAX_ERR_LENGTH = 256;

const NEWLINE = 0x0a;

/**
 * Formats a message as a line with its newline; keys that are empty are left out, and a long `err`
 * is cut.
 */
export function formatMessage(
  message: Partial<ControlMessage> & Pick<ControlMessage, 'command'>,
): string {
  const { command, connPath, err } = message;
  const line = {
    command,
    ...(connPath ? { connPath } : {}),
    ...(err ? { err: err.slice(0, MAX_ERR_LENGTH) } : {}),
  };
  return `${JSON.stringify(line)}\n`;
}

/**
 * Parses one line. As Go's decoder does, it takes null for a key that was left out and skips keys
 * that it does not know.
 * @throws `EPROTO` for what is not a JSON object, or has a key of the wrong type
 */
export function parseMessage(line: Buffer): ControlMessage {
  let value: unknown;
  try {
    value = JSON.parse(line.toString());
  } catch (cause) {
    throw new WsConnError('EPROTO', `a control line is not JSON: ${shown(line)}`, { cause });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new WsConnError('EPROTO', `a control line is no JSON object: ${shown(line)}`);
  }
  const { command, connPath, err } = value as Record<keyof ControlMessage, unknown>;
  return { command: text(command, line), connPath: text(connPath, line), err: text(err, line) };
}

function text(value: unknown, line: Buffer): string {
  if (value === undefined || value === null) return '';
  if (typeof value === 'string') return value;
  throw new WsConnError('EPROTO', `a control line has a key of the wrong type: ${shown(line)}`);
}

/** Returns the beginning of a line from outside, safe to print. */
function shown(line: Buffer): string {
  return JSON.stringify(line.toString('latin1', 0, 80));
}

/** Puts lines together from chunks that are cut anywhere. */
export class MessageReader {
  /** The beginning of a line whose end has not come. */
  #chunks: Buffer[] = [];
  #length = 0;

  /**
   * Yields the messages that end in this chunk, in order.
   * @throws `EPROTO`, after the messages before it, for a line that is too long or no message. The
   * reader is of no use afterwards.
   */
  *read(chunk: Buffer): Generator<ControlMessage, void, void> {
    let start = 0;
    for (;;) {
      const end = chunk.indexOf(NEWLINE, start);
      const piece = chunk.subarray(start, end === -1 ? undefined : end);
      this.#length += piece.length;
      // The newline, which is still to come, counts too.
      if (this.#length >= MAX_LINE_BYTES) {
        throw new WsConnError(
          'EPROTO',
          `a control line is longer than ${String(MAX_LINE_BYTES)} bytes`,
        );
      }
      if (piece.length > 0) this.#chunks.push(piece);
      if (end === -1) return;
      const line = Buffer.concat(this.#chunks, this.#length);
      this.#chunks = [];
      this.#length = 0;
      start = end + 1;
      yield parseMessage(line);
    }
  }
}
