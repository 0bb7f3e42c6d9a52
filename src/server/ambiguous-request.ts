import type { IncomingMessage } from 'node:http';

import type { Rejection } from './authentication.ts';
import { BAD_REQUEST } from './reject-upgrade.ts';

/**
 * Returns why a request is rejected that a proxy on the way may read differently than this server:
 * what is a body for one would be frames, or a second request, for the other. Null if it is not.
 */
export function rejectionOfForm({ httpVersion, headers }: IncomingMessage): Rejection | null {
  // In HTTP/1.0 there is no Upgrade (RFC 9110, section 7.8).
  if (httpVersion !== '1.1') return { status: BAD_REQUEST, text: 'a handshake needs HTTP/1.1' };
  const length = headers['content-length'];
  if (headers['transfer-encoding'] === undefined && (length === undefined || length === '0')) {
    return null;
  }
  return { status: BAD_REQUEST, text: 'a handshake has no body' };
}
