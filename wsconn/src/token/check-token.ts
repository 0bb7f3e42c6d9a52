import { timingSafeEqual } from 'node:crypto';

import { offeredToken } from '../dial/token.ts';
import { BUSY, type CheckToken, type Grant } from './grant.ts';
import { Places } from './places.ts';
import type { TokenEntry } from './token-file.ts';
import { digestOf, matches, mayMatch, type TokenHash } from './token-hash.ts';
import { Turns } from './turns.ts';

/** Checks at once: Node's pool has four threads, and looks up names and reads files with them too. */
const CHECKS_AT_ONCE = 2;
/** Tokens that may wait for their check: of one address, and of all. */
const CHECKS_OF_ONE = 4;
const CHECKS_OF_ALL = 64;

/** The work of checking hashed tokens, which goes on over a reload. */
export class TokenChecks {
  readonly turns = new Turns(CHECKS_AT_ONCE);
  readonly places: Places;

  /** @param room - how many handshakes may wait, so that others find a place */
  constructor(room: () => number) {
    this.places = new Places({
      each: CHECKS_OF_ONE,
      all: () => Math.max(1, Math.min(CHECKS_OF_ALL, room())),
    });
  }
}

interface Hashed {
  readonly grant: Grant;
  readonly hash: TokenHash;
}

/**
 * Returns what checks tokens against those of a server. The time that it takes does not depend on
 * how much of a token is right, nor on which one it is. A hashed token costs scrypt once; those
 * that no hash can be of, by its mark, never.
 */
export function makeCheckToken(entries: readonly TokenEntry[], checks: TokenChecks): CheckToken {
  const plain = entries.flatMap(({ grant, token }) =>
    typeof token === 'string' ? [{ grant, digest: digestOf(token) }] : [],
  );
  const hashed = entries.flatMap(({ grant, token }): Hashed[] =>
    typeof token === 'string' ? [] : [{ grant, hash: token }],
  );
  /** By the digest of the token; there are no more than hashes. */
  const verified = new Map<string, Grant>();
  /** By the digest too: what many clients send at once is checked once. */
  const pending = new Map<string, Promise<Grant | null>>();

  const check = (key: string, token: string, candidates: readonly Hashed[], address: string) => {
    const started = pending.get(key) ?? tryHashes(token, candidates, address, checks.turns);
    if (pending.has(key)) return started;
    pending.set(key, started);
    const settle = (grant: Grant | null): void => {
      pending.delete(key);
      if (grant) verified.set(key, grant);
    };
    // Whoever waits for it gets its error.
    started.then(settle, () => {
      settle(null);
    });
    return started;
  };

  return (authorization, address) => {
    const token = offeredToken(authorization);
    const digest = digestOf(token ?? '');
    let found: Grant | undefined;
    for (const { grant, digest: right } of plain) {
      if (timingSafeEqual(digest, right)) found = grant;
    }
    if (token === undefined) return null;
    const key = digest.toString('base64');
    found ??= verified.get(key);
    if (found) return found;
    const candidates = hashed.filter(({ hash }) => mayMatch(hash, digest));
    if (candidates.length === 0) return null;
    // One that bears the mark is right, as good as always: it may come from many at once.
    const marked = candidates.every(({ hash }) => hash.mark !== undefined);
    if (marked && pending.has(key)) return check(key, token, candidates, address);
    if (!checks.places.take(address)) return BUSY;
    return check(key, token, candidates, address).finally(() => {
      checks.places.free(address);
    });
  };
}

/** Tries hashes on a token, each when it is the turn of the address. */
async function tryHashes(
  token: string,
  candidates: readonly Hashed[],
  address: string,
  turns: Turns,
): Promise<Grant | null> {
  const found = await Promise.all(
    candidates.map(({ hash }) => turns.run(address, () => matches(hash, token))),
  );
  return candidates.find((_, index) => found[index])?.grant ?? null;
}
