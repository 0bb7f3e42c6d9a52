import { WsConnError } from '../../base/errors.ts';
import { closeError, type ClosedWebSocket } from '../../adapter/link/connection-errors.ts';
import {
  GOING_AWAY,
  NO_CLOSE_FRAME,
  NO_CODE,
  NORMAL_CLOSURE,
} from '../../websocket/close-codes.ts';
import { escaped } from '../../websocket/escape.ts';
import type { CloseSaid } from '../wire/message.ts';
import type { RefusalReason } from '../wire/resume-header.ts';

/**
 * Close codes after which a session goes on over another WebSocket, where the end was not said in
 * the protocol: proxies send 1000 and 1001 at their limits, 1011 to 1014 where the server behind
 * them is gone.
 */
const RESUMABLE = new Set([
  NORMAL_CLOSURE,
  GOING_AWAY,
  NO_CODE,
  NO_CLOSE_FRAME,
  1011,
  1012,
  1013,
  1014,
]);

/** Whether the session goes on after a WebSocket has closed like that. */
export function isResumable({ code }: ClosedWebSocket): boolean {
  return RESUMABLE.has(code);
}

/** Returns why a WebSocket is gone that nobody has ended deliberately. */
export function lossError(closed: ClosedWebSocket): WsConnError {
  return (
    closeError({ ...closed, ownCode: undefined }, { unsent: 0, tcpEndIsEof: false }) ??
    new WsConnError(
      'ECONNRESET',
      `the WebSocket was closed (${String(closed.code)}) without the end of the connection`,
      { closeCode: closed.code, closeReason: closed.reason },
    )
  );
}

/**
 * Returns what the deliberate end of the peer is for the stream, or null where the stream is whole.
 * @param unsent - bytes of the writes that were not sent
 */
export function endError(
  { code, reason }: CloseSaid,
  unsent: number,
  ownCode: number | undefined,
): WsConnError | null {
  const closed = { code, reason, ownCode, tcpEnded: false, socketError: undefined };
  return closeError(closed, { unsent, tcpEndIsEof: false });
}

/**
 * Returns the error for a peer that has broken off.
 * @param cause - what the peer has said it with, where that is an error of its own
 */
export function abortError({ code, reason }: CloseSaid, cause?: Error): WsConnError {
  if (code === NO_CLOSE_FRAME) {
    const why = reason === '' ? '' : `: ${escaped(reason)}`;
    return new WsConnError('ECONNRESET', `the peer has broken off the connection${why}`, {
      closeCode: code,
      closeReason: reason,
      cause,
    });
  }
  const closed = { code, reason, ownCode: undefined, tcpEnded: false, socketError: cause };
  return (
    closeError(closed, { unsent: 0, tcpEndIsEof: false }) ??
    abortError({ code: NO_CLOSE_FRAME, reason }, cause)
  );
}

const REFUSALS = {
  unknown:
    'the server does not know the connection: it was restarted, or has given it up, or it is another server',
  // Which a client takes for a reason to begin anew, unless something has passed.
  unbegun: 'the server has not begun it',
  gone: 'bytes are missing that the server keeps no longer',
  unsent: 'more bytes came than the server has sent',
} as const;

/**
 * Returns the error for a session that the server does not resume; null where it says nothing of
 * resuming.
 */
export function refusedError(
  refusal: RefusalReason | null,
  unacked: number,
  cause: Error,
): WsConnError {
  if (refusal?.reason === 'aborted') return abortError(refusal.close, cause);
  const happened = `the connection cannot be resumed: ${whyOf(refusal, cause)}${stake(unacked)}`;
  return new WsConnError('ECONNRESET', happened, { cause });
}

function whyOf(refusal: RefusalReason | null, cause: Error): string {
  if (!refusal) return cause.message;
  if (refusal.reason === 'finished') return 'the server has ended the connection';
  return REFUSALS[refusal.reason as keyof typeof REFUSALS];
}

/** Returns the error for a time limit that has passed. */
export function timeLimitError(happened: string, unacked: number, cause?: Error): WsConnError {
  return new WsConnError('ETIMEDOUT', `${happened}${stake(unacked)}`, { cause });
}

/** Returns what was at stake. */
export function stake(unacked: number): string {
  return `; ${String(unacked)} written bytes were not acknowledged`;
}
