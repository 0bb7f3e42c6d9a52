import { createHash, randomBytes, scrypt, timingSafeEqual } from 'node:crypto';

/** What every hash begins with. */
export const HASH_PREFIX = 'scrypt$';

/** The cost of new hashes: 16 MiB and some tens of ms (RFC 7914, section 2). */
const COST = { N: 16_384, r: 8, p: 1 };
/** Bytes of salt and hash of new hashes. */
const SALT_LENGTH = 16;
const HASH_LENGTH = 32;
/** Bytes of memory, and passes, that a hash in a file may cost at most. */
const MOST_MEMORY = 64 * 1024 * 1024;
const MOST_PASSES = 16;
/** Fewest bytes of salt and hash that are of use. */
const LEAST_LENGTH = 8;
/** Bytes of the mark: few, so that it says nothing of use about a random token. */
const MARK_LENGTH = 3;

/** The hash of a token, as it stands in a file: `scrypt$N$r$p$SALT$HASH[$MARK]`, in base64url. */
export interface TokenHash {
  readonly N: number;
  readonly r: number;
  readonly p: number;
  readonly salt: Buffer;
  readonly hash: Buffer;
  /** The first bytes of the token's digest, if they are given: other tokens need no scrypt. */
  readonly mark: Buffer | undefined;
}

/** Returns the digest of a token: of one length, and without the token. */
export function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

/** Reads a hash; returns what is wrong with it where it cannot be used. */
export function parseHash(text: string): TokenHash | string {
  const fields = text.slice(HASH_PREFIX.length).split('$');
  if (fields.length !== 5 && fields.length !== 6) return 'has not 6 or 7 fields';
  const [N, r, p] = fields.slice(0, 3).map((field) => (/^\d{1,9}$/.test(field) ? +field : 0)) as [
    number,
    number,
    number,
  ];
  if (N < 2 || !Number.isInteger(Math.log2(N))) return 'has an N that is no power of two';
  if (r < 1 || 128 * N * r > MOST_MEMORY) return 'has an N and r that take over 64 MiB';
  if (p < 1 || p > MOST_PASSES) return `has a p that is not 1 to ${String(MOST_PASSES)}`;
  const [salt, hash, mark] = fields.slice(3).map(fromBase64url);
  if (!salt || salt.length < LEAST_LENGTH) return 'has no usable salt in base64url';
  if (!hash || hash.length < LEAST_LENGTH || hash.length > 64)
    return 'has no usable hash in base64url';
  if (fields.length === 6 && mark?.length !== MARK_LENGTH)
    return 'has a mark that is not 4 characters in base64url';
  return { N, r, p, salt, hash, mark };
}

/** Hashes a random token. With its mark, a server need not try the hash on other tokens. */
export async function hashToken(token: string): Promise<string> {
  const salt = randomBytes(SALT_LENGTH);
  const hash = await derive(token, { ...COST, salt, length: HASH_LENGTH });
  const mark = digestOf(token).subarray(0, MARK_LENGTH);
  const encoded = [salt, hash, mark].map((bytes) => bytes.toString('base64url'));
  return HASH_PREFIX + [COST.N, COST.r, COST.p, ...encoded].join('$');
}

/** Returns whether a hash may be that of a token with this digest, without the cost of scrypt. */
export function mayMatch({ mark }: TokenHash, digest: Buffer): boolean {
  return mark === undefined || timingSafeEqual(mark, digest.subarray(0, MARK_LENGTH));
}

/** Returns whether a hash is that of a token; it takes a thread of Node's pool for a while. */
export async function matches(hash: TokenHash, token: string): Promise<boolean> {
  const derived = await derive(token, { ...hash, length: hash.hash.length });
  return timingSafeEqual(derived, hash.hash);
}

function derive(
  token: string,
  { N, r, p, salt, length }: Pick<TokenHash, 'N' | 'r' | 'p' | 'salt'> & { length: number },
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    // Node's own limit is one byte short of what the usual cost takes.
    scrypt(token, salt, length, { N, r, p, maxmem: 2 * MOST_MEMORY }, (error, derived) => {
      if (error) reject(error);
      else resolve(derived);
    });
  });
}

function fromBase64url(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64url');
  return bytes.toString('base64url') === text.replace(/=+$/, '') ? bytes : undefined;
}
