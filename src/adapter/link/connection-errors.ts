import { codeOf, WsConnError } from '../../base/errors.ts';
import { escaped } from '../../websocket/escape.ts';
import { isOrderly, MESSAGE_TOO_BIG, NO_CLOSE_FRAME } from '../../websocket/close-codes.ts';

/** How a WebSocket has closed. */
export interface ClosedWebSocket {
  /**
   * Close code: the peer's, 1005 for a Close frame without one, 1006 for none (RFC 6455, section
   * 7.4.1).
   */
  readonly code: number;
  readonly reason: string;
  /** The code that we closed with ourselves; a peer answers with the same one. */
  readonly ownCode: number | undefined;
  /** Whether the peer has ended TCP in order. */
  readonly tcpEnded: boolean;
  /** Error of the socket below. */
  readonly socketError: Error | undefined;
}

/** What the close means for the stream depends on. */
export interface StreamAtClose {
  /** Bytes of the writes that did not get through whole. */
  readonly unsent: number;
  /** Whether an orderly end of TCP without a Close frame ends the stream. */
  readonly tcpEndIsEof: boolean;
}

/**
 * Returns the error that the close of a WebSocket is for the stream, or null where the stream is
 * whole.
 */
export function closeError(
  closed: ClosedWebSocket,
  { unsent, tcpEndIsEof }: StreamAtClose,
): WsConnError | null {
  const { code, reason } = closed;
  const details = { closeCode: code, closeReason: reason, cause: closed.socketError };
  const stake = unsent > 0 ? `; ${String(unsent)} written bytes were not all sent` : '';
  const eof = code === NO_CLOSE_FRAME && closed.tcpEnded && tcpEndIsEof;
  if (isOrderly(code) || code === closed.ownCode || eof) {
    if (unsent === 0) return null;
    return new WsConnError(
      'EPIPE',
      `the peer closed (${String(code)}) before ${String(unsent)} written bytes were all sent`,
      details,
    );
  }
  if (code === NO_CLOSE_FRAME) {
    return new WsConnError('ECONNRESET', `${cutText(closed)}${stake}`, details);
  }
  const said = reason === '' ? '' : `: ${escaped(reason)}`;
  const because =
    code === MESSAGE_TOO_BIG ? `${said} (it takes smaller messages: see maxMessageSize)` : said;
  return new WsConnError(
    'ECONNRESET',
    `the peer closed with code ${String(code)}${because}${stake}`,
    details,
  );
}

/** Returns who ended a connection without a Close frame. */
function cutText({ tcpEnded, socketError }: ClosedWebSocket): string {
  if (socketError)
    return `the connection broke off (${codeOf(socketError) ?? socketError.message})`;
  if (tcpEnded) return 'TCP ended without a Close frame, so the peer may have meant to send more';
  return 'the WebSocket was terminated on this side, by ws or by whoever else has it';
}

/** Returns the error for a handshake that took longer than `ms`. */
export function handshakeTimeoutError(url: string, ms: number): WsConnError {
  // The host alone: the rest of the URL may hold secrets.
  const { host } = new URL(url);
  const happened = `the handshake with ${host || 'the server'} took longer than ${String(ms)} ms`;
  return new WsConnError('ETIMEDOUT', happened);
}

/**
 * Turns an error that ws found before the handshake was done into the one to show. Those of the
 * system (ECONNREFUSED, ENOTFOUND, a certificate's) say what they are and pass as they come; what
 * ws says of a bad answer has no code.
 */
export function handshakeError(error: Error, url: string): Error {
  if (error instanceof AggregateError) return connectError(error, url);
  if (codeOf(error) !== undefined) return error;
  if (error instanceof SyntaxError) {
    // Of a redirect: ws throws at the URL that the user has given. It holds what the server sent.
    const happened = 'the server redirects to what is no URL of a WebSocket';
    return new WsConnError('EPROTO', `the WebSocket handshake failed: ${happened}`);
  }
  return new WsConnError('EPROTO', `the WebSocket handshake failed: ${error.message}`, {
    cause: error,
  });
}

/**
 * Adds to Node's error for a host of several addresses the message that it lacks: each address that
 * was tried, and what went wrong.
 */
function connectError(error: AggregateError, url: string): Error {
  const tries = (error.errors as NodeJS.ErrnoException[]).map((one) => {
    const { address, port } = one as { readonly address?: string; readonly port?: number };
    const where = address === undefined ? 'an address' : `${address} port ${String(port)}`;
    return `${where} (${codeOf(one) ?? one.message})`;
  });
  const message = `cannot connect to ${new URL(url).host}: tried ${tries.join(' and ')}`;
  return Object.assign(new AggregateError(error.errors, message, { cause: error }), {
    code: codeOf(error),
  });
}

/** What ws calls a message over `maxPayload`, and one over 2^53 bytes. */
const TOO_LARGE = new Set([
  'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH',
  'WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH',
]);

/**
 * Turns an error that ws found in the frames of the peer into the one to show. ws has sent the
 * Close that belongs to it.
 */
export function frameError(error: Error): WsConnError {
  const code = TOO_LARGE.has(codeOf(error) ?? '') ? 'EMSGSIZE' : 'EPROTO';
  return new WsConnError(code, error.message, { cause: error });
}
