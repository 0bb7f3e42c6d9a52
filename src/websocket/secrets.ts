import type { ClientRequest } from 'node:http';

import { HANDSHAKE_HEADERS } from './handshake-headers.ts';

/** Shorter ones could be part of any word. */
const SHORTEST_SECRET = 4;

/** Headers of a handshake that hold nothing of the user's. */
const OPEN = new Set([...HANDSHAKE_HEADERS, 'user-agent']);

/**
 * What a request has carried that may be secret, to mask it where the server sends it back: the
 * query of its URL, and the values of its headers.
 */
export class Secrets {
  readonly #secrets: readonly string[];

  constructor(request: ClientRequest) {
    const [, query = ''] = request.path.split(/\?(.*)/s, 2);
    const found = [query, ...new URLSearchParams(query).values(), ...query.split(/[&=]/)];
    for (const name of request.getHeaderNames()) {
      if (OPEN.has(name)) continue;
      const values = [request.getHeader(name)].flat().map(String);
      for (const value of values) found.push(value, ...value.split(/[\s;,=]+/), ...basic(value));
    }
    // The longest first: a part of it would leave the rest.
    this.#secrets = [...new Set(found)]
      .filter(({ length }) => length >= SHORTEST_SECRET)
      .sort((a, b) => b.length - a.length);
  }

  mask(text: string): string {
    return this.#secrets.reduce((masked, secret) => masked.replaceAll(secret, '***'), text);
  }
}

/** User and password of `Authorization: Basic`, which a server can read. */
function basic(value: string): string[] {
  const coded = /^basic\s+(\S+)$/i.exec(value)?.[1];
  if (coded === undefined) return [];
  const pair = Buffer.from(coded, 'base64').toString();
  const [user = '', password = ''] = pair.split(/:(.*)/s, 2);
  return [pair, user, password];
}
