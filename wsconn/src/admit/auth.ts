import { usageFailure } from '../console/failure.ts';
import { isLocal, type Place, showPlace } from '../console/place.ts';
import { carriesToken, readTokenFile, tokenOfEnvironment } from '../dial/token.ts';
import type { SecretFiles } from '../dial/secret-files.ts';
import type { OptionSpecs, Values } from '../options/options.ts';

/** Options that say who may connect. */
export const AUTH_OPTIONS = {
  'token-file': {
    value: 'FILE',
    help: 'file with the token that clients must send',
  },
  'no-auth': {
    help: 'let everybody in who reaches --listen, also from other machines',
  },
} as const satisfies OptionSpecs;

export type AuthValues = Values<keyof typeof AUTH_OPTIONS>;

/** Whom a token stands for, and what he may use. */
export interface Grant {
  /** Name of the token, if it has one. */
  readonly name?: string | undefined;
  /** Names of the targets that it opens; all where left out. */
  readonly targets?: ReadonlySet<string> | undefined;
}

/** Says whether an Authorization header carries a token, and what that opens. */
export type CheckToken = (
  authorization: string | undefined,
) => Grant | null | Promise<Grant | null>;

/**
 * Checks that a server that other machines reach asks for a token or for client certificates,
 * unless the user says that it need not.
 * @param mutual - whether clients must present a certificate
 * @throws Failure with a line for the user
 */
export function checkAuth(values: AuthValues, place: Place, mutual: boolean): void {
  const token = values.text('token-file') ?? tokenOfEnvironment();
  const closed = token !== undefined || mutual;
  if (values.flag('no-auth') && closed) {
    const other = token === undefined ? '--tls-client-ca' : 'a token';
    throw usageFailure(`${values.nameOf('no-auth')} contradicts ${other}: leave one of them out`);
  }
  if (closed || values.flag('no-auth') || isLocal(place)) return;
  throw usageFailure(
    `everybody who reaches ${showPlace(place)} could connect: give --token-file or --tls-client-ca, or --no-auth where that is meant`,
  );
}

/** Where tokens come from: a file that may change, the environment, or nowhere. */
export interface TokenSource {
  readonly paths: readonly string[];
  readonly make: () => Promise<CheckToken>;
}

/** Returns where the tokens come from, or undefined where none is required. */
export function tokenSource(values: AuthValues, files: SecretFiles): TokenSource | undefined {
  const path = values.text('token-file');
  const fixed = tokenOfEnvironment();
  const accept =
    (token: string): CheckToken =>
    (authorization) =>
      carriesToken(authorization, token) ? {} : null;
  if (path !== undefined) {
    return {
      paths: [path],
      make: async () => accept(await readTokenFile(path, values.nameOf('token-file'), files)),
    };
  }
  return fixed === undefined
    ? undefined
    : { paths: [], make: () => Promise.resolve(accept(fixed)) };
}
