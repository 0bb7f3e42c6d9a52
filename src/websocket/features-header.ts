import type { IncomingHttpHeaders } from 'node:http';

/**
 * Header in which the two ends of a handshake tell each other which of this package's features they
 * know. It is no subprotocol, because a client that offers subprotocols must fail when the server
 * picks none (RFC 6455, section 4.1).
 */
export const FEATURES_HEADER = 'WsConn-Features';

/** Value of the header: an empty binary message ends one direction, as a FIN does in TCP. */
export const HALF_CLOSE = 'half-close';

/** Its name as Node gives it. */
const RECEIVED_HEADER = FEATURES_HEADER.toLowerCase();

/** Whether the headers of a handshake request or answer name half close. */
export function namesHalfClose(headers: IncomingHttpHeaders): boolean {
  const value = headers[RECEIVED_HEADER];
  if (value === undefined || value === HALF_CLOSE) return value === HALF_CLOSE;
  return String(value)
    .split(',')
    .some((feature) => feature.trim().toLowerCase() === HALF_CLOSE);
}
