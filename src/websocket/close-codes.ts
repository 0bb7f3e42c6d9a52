import { invalidArgType, outOfRange } from '../base/errors.ts';

/** Normal closure: the purpose of the connection is fulfilled (RFC 6455, section 7.4.1). */
export const NORMAL_CLOSURE = 1000;
/** Going away: a server that shuts down. */
export const GOING_AWAY = 1001;
/** The peer broke the protocol. */
export const PROTOCOL_ERROR = 1002;
/** The peer sent a type of data that cannot be taken here. */
export const UNSUPPORTED_DATA = 1003;
/** Stands for a Close frame without a code; never sent. */
export const NO_CODE = 1005;
/** Stands for an end without a Close frame; never sent. */
export const NO_CLOSE_FRAME = 1006;
/** A message was too big for who got it. */
export const MESSAGE_TOO_BIG = 1009;
/** The server has too much to do; registered with IANA. */
export const TRY_AGAIN_LATER = 1013;

/** A control frame carries 125 bytes, of which the code takes two (RFC 6455, section 5.5). */
const MAX_REASON_BYTES = 123;

const NEVER_SENT = new Set([1004, NO_CODE, NO_CLOSE_FRAME]);

function maySend(code: number): boolean {
  if (!Number.isInteger(code) || NEVER_SENT.has(code)) return false;
  return (code >= 1000 && code <= 1014) || (code >= 3000 && code <= 4999);
}

/**
 * Throws `ERR_OUT_OF_RANGE` or `ERR_INVALID_ARG_TYPE` for a close code or reason that no Close
 * frame can carry.
 */
export function checkClose(code: unknown, reason: unknown): void {
  if (typeof code !== 'number') throw invalidArgType('code', 'of type number', code);
  if (!maySend(code)) throw outOfRange('code', '1000 to 1003, 1007 to 1014, or 3000 to 4999', code);
  if (typeof reason !== 'string') throw invalidArgType('reason', 'of type string', reason);
  if (Buffer.byteLength(reason) > MAX_REASON_BYTES) {
    throw outOfRange('reason', `at most ${String(MAX_REASON_BYTES)} bytes of UTF-8`, reason);
  }
}

/**
 * Ends a stream as a whole one. 1001, going away, does not: servers that reload and pages that are
 * left send it in mid-stream.
 */
const ORDERLY = new Set([NORMAL_CLOSURE, NO_CODE]);

/** Whether a close code says that the stream is whole. */
export function isOrderly(code: number): boolean {
  return ORDERLY.has(code);
}
