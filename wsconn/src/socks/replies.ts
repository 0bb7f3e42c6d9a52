/** Replies of SOCKS 5 (RFC 1928, section 6) that are sent. */
export const SUCCEEDED = 0x00;
export const GENERAL_FAILURE = 0x01;
export const NOT_ALLOWED = 0x02;
export const COMMAND_NOT_SUPPORTED = 0x07;
export const ADDRESS_TYPE_NOT_SUPPORTED = 0x08;

/** What the errno name of a failure is in SOCKS 5; everything else is a general failure. */
const OF_ERRNO: ReadonlyMap<string, number> = new Map([
  ['EACCES', NOT_ALLOWED],
  ['ENETUNREACH', 0x03],
  ['EHOSTUNREACH', 0x04],
  ['ENOTFOUND', 0x04],
  ['ECONNREFUSED', 0x05],
  ['ETIMEDOUT', 0x06],
]);

/** Returns the reply that says most of a failure. */
export function replyOf(errno: string | undefined): number {
  return OF_ERRNO.get(errno ?? '') ?? GENERAL_FAILURE;
}

/**
 * Returns a reply with an address that says nothing: which one the server uses is no client's
 * affair.
 */
export function replyWith(code: number): Buffer {
  return Buffer.from([0x05, code, 0, 0x01, 0, 0, 0, 0, 0, 0]);
}

/** What a SOCKS 4 client gets: request rejected. */
export const SOCKS4_REJECTED = Buffer.from([0, 0x5b, 0, 0, 0, 0, 0, 0]);

/** What a client gets whose methods all need a login (RFC 1928, section 3). */
export const NO_METHOD = Buffer.from([0x05, 0xff]);
/** The choice of the method without a login. */
export const WITHOUT_LOGIN = Buffer.from([0x05, 0x00]);

const HELP =
  'This port speaks SOCKS 5, not HTTP: set it as a SOCKS proxy, such as socks5h://127.0.0.1:1080.\n';

/** What an HTTP client gets. */
export const HTTP_REJECTED = [
  'HTTP/1.1 400 Bad Request',
  'Content-Type: text/plain; charset=utf-8',
  `Content-Length: ${String(Buffer.byteLength(HELP))}`,
  'Connection: close',
  '',
  HELP,
].join('\r\n');
