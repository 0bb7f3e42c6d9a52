import { type OutgoingHttpHeaders, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';

/** HTTP statuses by which this package rejects a request. */
export const BAD_REQUEST = 400;
export const UNAUTHORIZED = 401;
export const FORBIDDEN = 403;
export const NOT_FOUND = 404;
export const METHOD_NOT_ALLOWED = 405;
export const GONE = 410;
export const UPGRADE_REQUIRED = 426;
export const INTERNAL_ERROR = 500;
export const UNAVAILABLE = 503;

/**
 * Answers a handshake with an HTTP status and one line of text, and closes its connection when that
 * has left.
 */
export function rejectUpgrade(
  socket: Duplex,
  status: number,
  headers: OutgoingHttpHeaders = {},
  text?: string,
): void {
  const title = STATUS_CODES[status] ?? 'Refused';
  const body = `${text ?? title}\n`;
  const defaults = {
    Connection: 'close',
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': Buffer.byteLength(body),
  };
  const given = new Set(Object.keys(headers).map((name) => name.toLowerCase()));
  const lines = [
    ...Object.entries(defaults).filter(([name]) => !given.has(name.toLowerCase())),
    ...Object.entries(headers),
  ]
    .filter(([, value]) => value !== undefined)
    .flatMap(([name, value]) =>
      (Array.isArray(value) ? value : [value]).map((one) => `${name}: ${String(one)}\r\n`),
    );
  // The client may be gone already; then there is nobody to tell.
  socket.on('error', () => socket.destroy());
  socket.end(`HTTP/1.1 ${String(status)} ${title}\r\n${lines.join('')}\r\n${body}`, () =>
    socket.destroy(),
  );
}
