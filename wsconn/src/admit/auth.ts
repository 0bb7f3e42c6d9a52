import { usageFailure } from '../console/failure.ts';
import { isLocal, type Place, showPlace } from '../console/place.ts';
import type { SecretFiles } from '../dial/secret-files.ts';
import { tokenOfEnvironment } from '../dial/token.ts';
import type { OptionSpecs, Values } from '../options/options.ts';
import type { Targets } from '../target/targets.ts';
import { makeCheckToken, TokenChecks } from '../token/check-token.ts';
import type { CheckToken } from '../token/grant.ts';
import { parseTokens } from '../token/token-file.ts';

/** Options that say who may connect. */
export const AUTH_OPTIONS = {
  'token-file': {
    value: 'FILE',
    help: 'file with the token that clients must send, or with many, one NAME:TOKEN[:TARGET,…] a line',
  },
  'no-auth': {
    help: 'let everybody in who reaches --listen, also from other machines',
  },
} as const satisfies OptionSpecs;

export type AuthValues = Values<keyof typeof AUTH_OPTIONS>;

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

/**
 * Returns where the tokens come from, or undefined where none is required.
 * @param targets - those that tokens may be for
 * @param room - how many handshakes may wait for a check, so that others find a place
 */
export function tokenSource(
  values: AuthValues,
  files: SecretFiles,
  targets: Targets,
  room: () => number,
): TokenSource | undefined {
  const path = values.text('token-file');
  const fixed = tokenOfEnvironment();
  const checks = new TokenChecks(room);
  if (path !== undefined) {
    const option = values.nameOf('token-file');
    return {
      paths: [path],
      make: async () => {
        const text = await files.read(path, option);
        return makeCheckToken(parseTokens(text, `${path}, which ${option} names`, targets), checks);
      },
    };
  }
  if (fixed === undefined) return undefined;
  const check = makeCheckToken([{ grant: {}, token: fixed }], checks);
  return { paths: [], make: () => Promise.resolve(check) };
}
