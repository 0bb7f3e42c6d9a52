import type { Duplex } from 'node:stream';

import { checkObject, timeoutOption } from '../base/check-option.ts';
import { invalidArgType, invalidArgValue, outOfRange } from '../base/errors.ts';
import { HEADER, LIST, MAX_LINE_BYTES, NOT_AVAILABLE } from './line.ts';

/** Options of both sides. */
export interface NegotiateOptions {
  /** Gives up with an `AbortError` when it fires. The stream stays open. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Time in ms that it may take until both ends have agreed, a connection that is still opening
   * included; then the error is `ETIMEDOUT`. The default is go-libp2p's.
   * @default 10000
   */
  readonly timeout?: number | undefined;
}

/** What both ends have agreed on. */
export interface Negotiated<Stream extends Duplex = Duplex, Protocol extends string = string> {
  /** The name that was agreed on. */
  readonly protocol: Protocol;
  /** The stream that was given. What is read of it, and written to it, is payload from here on. */
  readonly stream: Stream;
}

/** The options of both sides, checked and complete. */
export interface NegotiateSettings {
  readonly signal: AbortSignal | undefined;
  readonly timeout: number;
}

const DEFAULT_TIMEOUT = 10_000;

/** Lines that mean something else than a protocol. */
const RESERVED: ReadonlySet<unknown> = new Set([HEADER, LIST, NOT_AVAILABLE]);

/** @throws `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`, with the name of the option */
export function checkNegotiateOptions(options: NegotiateOptions): NegotiateSettings {
  checkObject('options', options);
  const { signal } = options;
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw invalidArgType('options.signal', 'an AbortSignal', signal);
  }
  return { signal, timeout: timeoutOption('options.timeout', options.timeout, DEFAULT_TIMEOUT) };
}

/**
 * Returns the names of protocols as a list, each once.
 * @throws `ERR_INVALID_ARG_TYPE`; `ERR_INVALID_ARG_VALUE` for none, or a name that is no name;
 * `ERR_OUT_OF_RANGE` for one that does not fit into a line
 */
export function checkProtocols<Protocol extends string>(
  protocols: Protocol | readonly Protocol[],
): readonly Protocol[] {
  const names = Array.isArray(protocols)
    ? [...new Set(protocols as readonly Protocol[])]
    : [protocols];
  if (names.length === 0) throw invalidArgValue('protocols', 'must name a protocol', protocols);
  for (const name of names as readonly unknown[]) checkName(name);
  return names as readonly Protocol[];
}

function checkName(name: unknown): void {
  if (typeof name !== 'string') throw invalidArgType('protocols', 'of type string', name);
  if (name === '' || name.includes('\n') || RESERVED.has(name)) {
    const shown = JSON.stringify(name).slice(1, -1);
    throw invalidArgValue(
      'protocols',
      `must be names: not empty, without a newline, and not ${[...RESERVED].join(', ')}`,
      shown,
    );
  }
  const length = Buffer.byteLength(name) + 1;
  if (length > MAX_LINE_BYTES) {
    throw outOfRange('length of a protocol', `<= ${String(MAX_LINE_BYTES - 1)} bytes`, length - 1);
  }
}
