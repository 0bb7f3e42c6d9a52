import { Failure } from '../console/failure.ts';
import { rememberSecrets } from '../console/secrets.ts';
import { isToken } from '../dial/token.ts';
import type { Targets } from '../target/targets.ts';
import type { Grant } from './grant.ts';
import { HASH_PREFIX, parseHash, type TokenHash } from './token-hash.ts';

/** How a file names the target without a name, which is at the path `/`. */
export const UNNAMED = '/';

/** One token that a server takes. */
export interface TokenEntry {
  readonly grant: Grant;
  /** The token itself, or its hash. */
  readonly token: string | TokenHash;
}

/** What the name of a token may consist of: it stands in every line of the log. */
const NAME = /^[\w.@+-]{1,64}$/;

/** Returns whether a text may be the name of a token. */
export function isTokenName(text: string): boolean {
  return NAME.test(text);
}

/**
 * Reads the file of a server: `NAME:TOKEN[:TARGET,…]` a line, between blank lines and comments; or
 * one token alone, which has no name.
 * @param where - the file, as an error names it
 * @param targets - those that there are; without it their names are not checked
 * @throws Failure with the number of the line, and without the token
 */
export function parseTokens(text: string, where: string, targets?: Targets): readonly TokenEntry[] {
  const lines = text.split('\n').map((line, index) => ({ line: line.trim(), number: index + 1 }));
  const used = lines.filter(({ line }) => line !== '' && !line.startsWith('#'));
  const [only] = used;
  if (!only) throw new Failure(`${where}, holds no token`);
  const alone = text.trim();
  if (only.line === alone && !alone.includes(':')) return [parseAlone(alone, where)];
  const seen = new Map<string, number>();
  return used.map(({ line, number }) => {
    const at = `${where}, line ${String(number)}`;
    const [name = '', token = '', allowed, ...more] = line.split(':');
    rememberSecrets(token);
    if (!line.includes(':')) throw new Failure(`${at} has no name: it must be ${SHAPE}`);
    if (!isTokenName(name))
      throw new Failure(`${at} must begin with a name of letters, digits and . _ @ + -`);
    if (more.length > 0) throw new Failure(`${at} has too many colons: it must be ${SHAPE}`);
    const first = seen.get(token);
    if (first !== undefined)
      throw new Failure(`${at} holds the same token as line ${String(first)}: leave one out`);
    seen.set(token, number);
    const grant = { name, targets: parseTargets(allowed, at, targets) };
    return { grant, token: parseToken(token, at) };
  });
}

const SHAPE = 'NAME:TOKEN or NAME:TOKEN:TARGET,TARGET';

function parseAlone(token: string, where: string): TokenEntry {
  if (token.startsWith(HASH_PREFIX))
    throw new Failure(`${where}, holds a hash without a name: it must be ${SHAPE}`);
  rememberSecrets(token);
  if (!isToken(token))
    throw new Failure(
      `${where}, holds no usable token: it must be one line of ASCII without spaces`,
    );
  return { grant: {}, token };
}

function parseToken(text: string, at: string): string | TokenHash {
  if (!text.startsWith(HASH_PREFIX)) {
    if (isToken(text)) return text;
    throw new Failure(`${at} holds no usable token: it must be ASCII without spaces`);
  }
  const hash = parseHash(text);
  if (typeof hash !== 'string') return hash;
  throw new Failure(
    `${at} holds a hash that ${hash}: it must be scrypt$N$r$p$SALT$HASH, as wsconn token makes it`,
  );
}

function parseTargets(
  text: string | undefined,
  at: string,
  targets: Targets | undefined,
): ReadonlySet<string> | undefined {
  if (text === undefined) return undefined;
  const names = text.split(',').map((name) => name.trim());
  if (names.includes(''))
    throw new Failure(`${at} lacks the name of a target after its last colon, or at a comma`);
  const there = targets && [...(targets.unnamed ? [UNNAMED] : []), ...targets.names];
  if (!there || names.every((name) => there.includes(name)))
    return new Set(names.map((name) => (name === UNNAMED ? '' : name)));
  // The name is not shown: it is the token where somebody mixed up the order.
  throw new Failure(
    `${at} names a target that --to does not: behind its last colon may be ${there.join(', ')}`,
  );
}
