import type { Duplex } from 'node:stream';

import { integerOption } from '../base/check-option.ts';
import { WsConnError } from '../base/errors.ts';
import { formatLine, formatList, HEADER, LIST, NOT_AVAILABLE, shown } from './line.ts';
import { type Lines, negotiate } from './negotiation.ts';
import {
  checkNegotiateOptions,
  checkProtocols,
  type Negotiated,
  type NegotiateOptions,
} from './options.ts';

export interface HandleOptions extends NegotiateOptions {
  /**
   * Lines of the other end that may be answered without coming to an agreement, `ls` included; then
   * the error is `EPROTONOSUPPORT`.
   * @default 64
   */
  readonly maxProposals?: number | undefined;
}

const DEFAULT_MAX_PROPOSALS = 64;

/**
 * Answers the proposals of the other end of a stream until one is among the protocols
 * (multistream-select 1.0.0), and lists them where it is asked with `ls`. Resolves with the
 * protocol and with the stream, from which not one byte of payload was read. Sends its own header
 * at once, as the specification allows.
 *
 * Until then nobody else may read the stream, nor write to it. It is any Duplex of bytes, also one
 * that is still connecting.
 *
 * Rejects with `EPROTONOSUPPORT` where the other end ends after proposals that were all refused, or
 * goes on for more than `maxProposals`, `ETIMEDOUT` where nothing is agreed on in time, `ECONNRESET`
 * where the stream ends or fails before (its error is the `cause`), an `AbortError`, and
 * `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`, `ERR_OUT_OF_RANGE` or `ERR_INVALID_STATE` for an
 * argument or a stream that is being read. The stream is left to the caller. Rejects with `EPROTO`
 * where the other end does not speak multistream-select, and `EMSGSIZE` where a line is longer than
 * 1 KiB; these destroy the stream.
 */
export async function handle<Stream extends Duplex, Protocol extends string>(
  stream: Stream,
  protocols: Protocol | readonly Protocol[],
  options: HandleOptions = {},
): Promise<Negotiated<Stream, Protocol>> {
  const names = checkProtocols(protocols);
  const settings = checkNegotiateOptions(options);
  const maxProposals = integerOption(
    'options.maxProposals',
    options.maxProposals,
    DEFAULT_MAX_PROPOSALS,
    1,
  );
  const protocol = await negotiate(stream, settings, (lines) =>
    respond(lines, names, maxProposals),
  );
  return { protocol, stream };
}

async function respond<Protocol extends string>(
  lines: Lines,
  names: readonly Protocol[],
  maxProposals: number,
): Promise<Protocol> {
  lines.awaited = `its header (${HEADER})`;
  lines.send(formatLine(HEADER));
  const header = await lines.read();
  if (!header) throw lines.cut('ended');
  if (!header.equals(Buffer.from(HEADER))) {
    throw new WsConnError('EPROTO', `the first line is not ${HEADER}: ${shown(header)}`);
  }
  lines.awaited = 'a proposal';
  const refused: string[] = [];
  for (let count = 0; count < maxProposals; count++) {
    await lines.drained();
    const line = await lines.read();
    if (!line && count > 0) throw notTaken('ended without an agreement', refused);
    if (!line) throw lines.cut('ended');
    // Bytes are compared: what is not UTF-8 is no name of ours.
    const taken = names.find((name) => line.equals(Buffer.from(name)));
    if (taken !== undefined) {
      lines.send(formatLine(taken));
      return taken;
    }
    const text = line.toString('latin1');
    if (text === LIST) {
      lines.send(formatList(names));
    } else if (text === HEADER) {
      // A select() that begins anew, on a stream on which one has failed.
      lines.send(formatLine(HEADER));
    } else {
      lines.send(formatLine(NOT_AVAILABLE));
      refused.push(shown(line));
      lines.awaited = `a proposal that can be taken, after ${shown(line)}`;
    }
  }
  throw notTaken(`has used up its ${String(maxProposals)} tries`, refused);
}

/** Proposals that a message names. */
const MAX_NAMED = 4;

function notTaken(how: string, refused: readonly string[]): WsConnError {
  const named = refused.slice(0, MAX_NAMED).join(', ');
  const more = refused.length > MAX_NAMED ? ` and ${String(refused.length - MAX_NAMED)} more` : '';
  const what = refused.length > 0 ? `, and proposed ${named}${more}` : '';
  return new WsConnError('EPROTONOSUPPORT', `the other end ${how}${what}`);
}
