import { createHash, timingSafeEqual } from 'node:crypto';

import { Failure } from '../console/failure.ts';
import { readNamedFile } from './read-file.ts';

/**
 * Reads a token from its file, without the white space around it.
 * @throws Failure with a line for the user
 */
export async function readTokenFile(path: string, option: string): Promise<string> {
  return checkToken((await readNamedFile(path, option)).trim(), `${path}, which ${option} names,`);
}

/**
 * Checks that a token can be sent in a header (RFC 6750, section 2.1: no white space, nothing
 * outside of ASCII).
 * @param holder - what holds the token, for the message; the token itself is never shown
 */
export function checkToken(token: string, holder: string): string {
  if (!/^[\x21-\x7e]+$/.test(token)) {
    throw new Failure(
      `${holder} holds no usable token: it must be one line of ASCII without spaces`,
    );
  }
  return token;
}

/** Returns the value of the Authorization header that carries a token. */
export function bearer(token: string): string {
  return `Bearer ${token}`;
}

/**
 * Returns whether an Authorization header carries the token, in a time that does not depend on how
 * much of it is right.
 */
export function carriesToken(header: string | undefined, token: string): boolean {
  const offered = /^bearer +(?<token>\S+) *$/i.exec(header ?? '')?.groups?.['token'] ?? '';
  // Digests have one length, which timingSafeEqual() wants, and hide that of the token.
  return timingSafeEqual(digest(offered), digest(token));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
