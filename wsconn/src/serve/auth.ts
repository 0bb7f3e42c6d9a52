import type { Authenticate } from 'ws-conn-adapter';

import { UNAUTHORIZED } from '../console/codes.ts';
import { usageFailure } from '../console/failure.ts';
import { type HostPort, isLoopback, showHostPort } from '../console/host-port.ts';
import type { OptionSpecs, Values } from '../options/options.ts';
import type { Log } from '../console/log.ts';
import type { SecretFiles } from '../dial/secret-files.ts';
import { carriesToken, readTokenFile, tokenOfEnvironment } from '../dial/token.ts';
import { reloadFiles } from './reload-files.ts';

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

type AuthValues = Values<keyof typeof AUTH_OPTIONS>;

/**
 * Checks that a server that other machines reach asks for a token or for client certificates,
 * unless the user says that it need not.
 * @param mutual - whether clients must present a certificate
 * @throws Failure with a line for the user
 */
export function checkAuth(values: AuthValues, place: HostPort, mutual: boolean): void {
  const token = values.text('token-file') ?? tokenOfEnvironment();
  const closed = token !== undefined || mutual;
  if (values.flag('no-auth') && closed) {
    const other = token === undefined ? '--tls-client-ca' : 'a token';
    throw usageFailure(`${values.nameOf('no-auth')} contradicts ${other}: leave one of them out`);
  }
  if (closed || values.flag('no-auth') || isLoopback(place.host)) return;
  throw usageFailure(
    `everybody who reaches ${showHostPort(place)} could connect: give --token-file or --tls-client-ca, or --no-auth where that is meant`,
  );
}

/** Returns what checks the token of each handshake, or undefined where none is required. */
export async function makeAuthenticate(
  values: AuthValues,
  files: SecretFiles,
  log: Log,
): Promise<Authenticate | undefined> {
  const path = values.text('token-file');
  const fixed = tokenOfEnvironment();
  let current: () => string;
  if (path !== undefined) {
    const read = (): Promise<string> => readTokenFile(path, values.nameOf('token-file'), files);
    current = await reloadFiles([path], read, log);
  } else if (fixed !== undefined) {
    current = () => fixed;
  } else {
    return undefined;
  }
  return ({ headers }) =>
    carriesToken(headers.authorization, current()) || {
      status: UNAUTHORIZED,
      headers: { 'WWW-Authenticate': 'Bearer realm="wsconn"' },
    };
}
