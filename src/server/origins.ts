import type { IncomingMessage } from 'node:http';

import { invalidArgType, invalidArgValue, WsConnError } from '../base/errors.ts';
import type { Rejection } from './authentication.ts';
import { FORBIDDEN } from './reject-upgrade.ts';

/** Allows every origin. */
const ANY = '*';

/**
 * Checks the option `origins`.
 * @throws `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`
 */
export function originsOption(value: unknown): ReadonlySet<string> {
  if (value === undefined) return new Set();
  if (!Array.isArray(value)) throw invalidArgType('options.origins', 'an array', value);
  for (const origin of value as unknown[]) {
    if (typeof origin !== 'string' || !isOrigin(origin)) {
      const wanted =
        "must hold origins as browsers send them, such as 'https://example.org', or '*'";
      throw invalidArgValue('options.origins', wanted, origin);
    }
  }
  return new Set(value as string[]);
}

/**
 * Returns whether a browser sends this: `null` for pages without an origin of their own, such as
 * sandboxed frames; else scheme and host in lower case, and the port where it is not the scheme's.
 */
function isOrigin(text: string): boolean {
  if (text === ANY || text === 'null') return true;
  // Of the schemes that URL does not know, such as those of extensions, it gives no origin.
  if (/^https?:/.test(text)) return URL.canParse(text) && new URL(text).origin === text;
  const host = /^[a-z][a-z0-9+.-]*:\/\/([^/?#@\s]*)$/.exec(text)?.[1];
  return host !== undefined && host === host.toLowerCase();
}

/**
 * Returns why a request is rejected for its `Origin`; null if it is not. Browsers send one with
 * every WebSocket (RFC 6455, section 10.2), and any page can open one to localhost or into a
 * network that its reader is in. Programs send none, as a rule.
 */
export function rejectionOfOrigin(
  request: IncomingMessage,
  origins: ReadonlySet<string>,
): Rejection | null {
  const { origin } = request.headers;
  if (origin === undefined || origins.has(ANY) || origins.has(origin)) return null;
  const shown = JSON.stringify(origin.slice(0, 200));
  return {
    status: FORBIDDEN,
    text: `the Origin ${shown} is not let in: the server lists those it trusts (origins of createServer(), wsconn serve --allow-origin)`,
    cause: new WsConnError('ECONNREFUSED', `the Origin ${shown} is not in the option origins`),
  };
}
