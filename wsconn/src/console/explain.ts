import { WsConnError } from 'ws-conn-adapter';

import { ABNORMAL_CLOSURE, GOING_AWAY } from './codes.ts';
import { quoted } from './escape.ts';
import { showHostPort } from './place.ts';
import { explainRefusal } from './refusals.ts';
import { tlsAlertOf } from './tls-errors.ts';

/** What an error of the system, of TLS or of the library means to a user, and what to do. */
const MEANINGS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused: check host and port, and whether the server runs',
  ECONNRESET: 'the connection was cut, by a proxy or firewall, or because the server was killed',
  EHOSTUNREACH: 'no route to that host: check the address and your network',
  ENETUNREACH: 'no route to that network: check the address and your network',
  ENOTFOUND: 'no host has that name: check its spelling',
  EAI_AGAIN: 'the host name could not be looked up: check your network and its DNS',
  ETIMEDOUT: 'no answer in time: check the address, and whether a firewall is in the way',
  EADDRINUSE: 'another program listens there already: stop it or use another port',
  EADDRNOTAVAIL:
    'this machine does not have that address: listen on one that it has, or on 0.0.0.0',
  EACCES: 'permission denied: ports below 1024 need root',
  // Of Node, not of the library: an answer that is not TLS.
  EPROTO: 'TLS failed, so that port may not speak TLS: try ws:// instead of wss://',
  EPIPE: 'the receiver of the data closed before all of it was written',
  CERT_HAS_EXPIRED: 'the certificate of the server has expired: renew it there',
  CERT_NOT_YET_VALID: 'the certificate of the server is not valid yet: check the clocks',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'the certificate of the server is self-signed: name it with --ca',
  SELF_SIGNED_CERT_IN_CHAIN:
    'the CA of the server is not known here: name its certificate with --ca',
  UNABLE_TO_GET_ISSUER_CERT:
    'the CA of the server is not known here: name its certificate with --ca',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    'the CA of the server is not known here: name its certificate with --ca',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    'the CA of the server is not known here: name its certificate with --ca',
  ERR_TLS_CERT_ALTNAME_INVALID:
    'the certificate of the server is for another host name: check the URL',
  ERR_SSL_WRONG_VERSION_NUMBER: 'that port does not speak TLS: try ws:// instead of wss://',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'that port does not speak TLS: try ws:// instead of wss://',
  ERR_OSSL_PEM_NO_START_LINE:
    'a certificate or key is not in PEM format: it must begin with -----BEGIN',
  ERR_OSSL_X509_KEY_VALUES_MISMATCH: 'certificate and key do not belong together',
};

/** What to do where a path drops connections on which nothing moves. */
const IF_IDLE = 'if it was idle, use a shorter --keepalive: wsconn doctor finds out which';

/**
 * Explains in one line what an error means and what to do about it; the line is never empty.
 * @param peer - who is at the other end of the connection that the error belongs to
 */
export function explain(error: unknown, peer: 'client' | 'server' = 'server'): string {
  if (!(error instanceof Error)) return String(error);
  const attempts = attemptsOf(error);
  if (attempts.length === 0 && error instanceof WsConnError) return explainConnection(error, peer);
  const code = mainCode(attempts) ?? codeOf(error);
  const meaning = code === undefined ? undefined : meaningOf(error, code);
  const tried = whatWasTried(error);
  // An unforeseen error is shown in its own words.
  if (meaning === undefined) return tried ?? wordsOf(error);
  return `${meaning} (${tried ?? String(code)})`;
}

function meaningOf(error: Error, code: string): string | undefined {
  return tlsAlertOf(error)?.meaning ?? MEANINGS[code] ?? whatSpeaks(error, code);
}

/** Content types that the first record of a TLS server can have: alert and handshake (RFC 8446, section 5.1). */
const TLS_RECORDS = [0x15, 0x16];

/** Returns what listens where an answer is no HTTP, by its first bytes; undefined for other errors. */
function whatSpeaks(error: Error, code: string): string | undefined {
  // The codes of Node's HTTP parser.
  if (!code.startsWith('HPE_')) return undefined;
  const { rawPacket } = error as { readonly rawPacket?: unknown };
  const start = Buffer.isBuffer(rawPacket) ? rawPacket : Buffer.alloc(0);
  if (start.subarray(0, 4).toString('latin1') === 'SSH-') {
    return 'that port is an SSH server: give the URL of the wsconn serve beside it, or use ssh alone';
  }
  return TLS_RECORDS.includes(start[0] ?? 0)
    ? 'that port speaks TLS: use wss:// instead of ws://'
    : 'that port does not speak HTTP: check host and port of the URL';
}

/** Returns the code of an error of the system or of this package, where it has one. */
export function codeOf(error: unknown): string | undefined {
  const { code } = (error ?? {}) as { readonly code?: unknown };
  return typeof code === 'string' ? code : undefined;
}

/** Returns the message of an error, or what it is where it has no message; never an empty line. */
export function wordsOf(error: Error): string {
  if (error.message !== '') return error.message;
  return codeOf(error) ?? (error.cause instanceof Error ? wordsOf(error.cause) : error.name);
}

/**
 * Lists the addresses of one name that were all tried without success, each with its error: Node
 * puts those of both address families into one error, which has no message. Returns undefined for
 * any other error.
 */
export function whatWasTried(error: Error): string | undefined {
  const attempts = attemptsOf(error);
  return attempts.length === 0 ? undefined : `tried ${attempts.map(nameAttempt).join(', ')}`;
}

function attemptsOf(error: Error): readonly unknown[] {
  const { errors } = error as { readonly errors?: unknown };
  return Array.isArray(errors) ? errors : [];
}

/**
 * Returns the code that says most: an attempt that reached a host says more than one without a
 * route.
 */
function mainCode(attempts: readonly unknown[]): string | undefined {
  const codes = attempts.map(codeOf);
  return ['ECONNREFUSED', 'ETIMEDOUT'].find((code) => codes.includes(code));
}

function nameAttempt(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { address, port } = error as { readonly address?: string; readonly port?: number };
  if (address === undefined || port === undefined) return wordsOf(error);
  return `${showHostPort({ host: address, port })}: ${codeOf(error) ?? wordsOf(error)}`;
}

function explainConnection(error: WsConnError, peer: 'client' | 'server'): string {
  const { statusCode, closeCode } = error;
  // The log of a server says more behind it, which a client must not forge.
  const closeReason =
    error.closeReason && peer === 'client' ? quoted(error.closeReason) : error.closeReason;
  if (statusCode !== undefined) {
    return explainRefusal(error, statusCode);
  }
  if (closeCode === GOING_AWAY) {
    const said = closeReason ? `: ${closeReason}` : '';
    return `the ${peer} or a proxy in front of it went away (1001)${said}: the last data may be missing`;
  }
  if (closeReason)
    return `the other end closed the connection (${String(closeCode)}): ${closeReason}`;
  if (error.code === 'ETIMEDOUT' && error.cause instanceof Error) {
    return `${wordsOf(error)}: ${whyOf(error.cause, peer)}`;
  }
  // What a server says in answer to a connection that comes back is no cut.
  const refused = error.cause instanceof WsConnError && error.cause.statusCode !== undefined;
  if (refused) return wordsOf(error);
  const cut = error.code === 'ECONNRESET' && (closeCode ?? ABNORMAL_CLOSURE) === ABNORMAL_CLOSURE;
  // What drops idle connections says nothing.
  return cut && peer === 'server' ? `${wordsOf(error)}; ${IF_IDLE}` : wordsOf(error);
}

/** Explains what kept a connection from coming back; a loss of its path, in its own words. */
function whyOf(cause: Error, peer: 'client' | 'server'): string {
  const isLoss = cause instanceof WsConnError && cause.statusCode === undefined;
  return isLoss ? wordsOf(cause) : explain(cause, peer);
}
