import type { Duplex } from 'node:stream';

import { invalidArgType, invalidArgValue, WsConnError } from '../base/errors.ts';
import { formatLine, HEADER, NOT_AVAILABLE, shown } from './line.ts';
import { type Lines, negotiate } from './negotiation.ts';
import {
  checkNegotiateOptions,
  checkProtocols,
  type Negotiated,
  type NegotiateOptions,
} from './options.ts';

export interface SelectOptions extends NegotiateOptions {
  /**
   * Optimistic: first bytes of the payload, to leave together with the proposal, which saves a
   * round trip. For one protocol only, and one that the other end is known to take: where it does
   * not, it reads these bytes as further proposals. The promise rejects with `EPROTONOSUPPORT` then,
   * and the stream is of no more use.
   * @default none
   */
  readonly firstBytes?: string | Uint8Array | undefined;
}

/**
 * Proposes protocols to the other end of a stream, one after the other, until it takes one
 * (multistream-select 1.0.0). Resolves with that and with the stream, from which not one byte of
 * payload was read. The first proposal leaves at once, so one that is taken costs one round trip.
 *
 * Until then nobody else may read the stream, nor write to it; with `firstBytes` the caller may
 * write more at once. The stream is any Duplex of bytes, also one that is still connecting.
 *
 * Rejects with `EPROTONOSUPPORT` where the other end takes none, `ETIMEDOUT` where it does not
 * answer in time, `ECONNRESET` where the stream ends or fails before (its error is the `cause`), an
 * `AbortError`, and `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`, `ERR_OUT_OF_RANGE` or
 * `ERR_INVALID_STATE` for an argument or a stream that is being read. The stream is left to the
 * caller. Rejects with `EPROTO` where the other end does not speak multistream-select, and
 * `EMSGSIZE` where a line is longer than 1 KiB; these destroy the stream.
 */
export async function select<Stream extends Duplex, Protocol extends string>(
  stream: Stream,
  protocols: Protocol | readonly Protocol[],
  options: SelectOptions = {},
): Promise<Negotiated<Stream, Protocol>> {
  const names = checkProtocols(protocols);
  const settings = checkNegotiateOptions(options);
  const firstBytes = checkFirstBytes(options.firstBytes, names);
  const protocol = await negotiate(stream, settings, (lines) => propose(lines, names, firstBytes));
  return { protocol, stream };
}

function checkFirstBytes(value: unknown, names: readonly string[]): Uint8Array {
  if (value === undefined) return Buffer.alloc(0);
  if (typeof value !== 'string' && !(value instanceof Uint8Array)) {
    throw invalidArgType(
      'options.firstBytes',
      'of type string or an instance of Uint8Array',
      value,
    );
  }
  if (names.length > 1) {
    throw invalidArgValue('options.firstBytes', 'must go with one protocol', value);
  }
  return typeof value === 'string' ? Buffer.from(value) : value;
}

async function propose<Protocol extends string>(
  lines: Lines,
  names: readonly Protocol[],
  firstBytes: Uint8Array,
): Promise<Protocol> {
  const [first] = names;
  if (first === undefined) throw new TypeError('no protocol');
  const early = firstBytes.length;
  const sent = early > 0 ? ` (${String(early)} bytes of payload were sent with it)` : '';
  const awaitAnswer = (name: string): void => {
    lines.awaited = `the answer to the proposal ${JSON.stringify(name)}${sent}`;
  };
  awaitAnswer(first);
  lines.send(formatLine(HEADER), formatLine(first), firstBytes);
  const header = await answer(lines);
  if (!header.equals(Buffer.from(HEADER))) {
    throw new WsConnError('EPROTO', `the first line is not ${HEADER}: ${shown(header)}`);
  }
  for (const name of names) {
    if (name !== first) {
      awaitAnswer(name);
      lines.send(formatLine(name));
    }
    const line = await answer(lines);
    if (line.equals(Buffer.from(name))) return name;
    if (!line.equals(Buffer.from(NOT_AVAILABLE))) {
      const what = `${shown(line)} is no answer to the proposal ${JSON.stringify(name)}`;
      throw new WsConnError('EPROTO', what);
    }
  }
  const all = names.map((name) => JSON.stringify(name)).join(', ');
  const lost = early > 0 ? `; it took ${String(early)} bytes of payload for proposals` : '';
  throw new WsConnError('EPROTONOSUPPORT', `the other end does not take ${all}${lost}`);
}

async function answer(lines: Lines): Promise<Buffer> {
  const line = await lines.read();
  if (!line) throw lines.cut('ended');
  return line;
}
