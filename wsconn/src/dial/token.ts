import { Failure, usageFailure } from '../console/failure.ts';
import { valueOf, variableOf } from '../options/options.ts';
import { rememberSecrets } from '../console/secrets.ts';
import { readNamedFileNow } from './read-file.ts';
import type { SecretFiles } from './secret-files.ts';

const TOKEN_VARIABLE = variableOf('token');

/**
 * Reads a token from its file, without the white space around it.
 * @throws Failure with a line for the user
 */
export async function readTokenFile(
  path: string,
  option: string,
  files: SecretFiles,
): Promise<string> {
  return tokenIn(await files.read(path, option), path, option);
}

/**
 * Reads a token from its file at once, where nothing can wait for it.
 * @throws Failure with a line for the user
 */
export function readTokenFileNow(path: string, option: string): string {
  return tokenIn(readNamedFileNow(path, option), path, option);
}

function tokenIn(text: string, path: string, option: string): string {
  const token = text.trim();
  rememberSecrets(token);
  if (!isToken(token)) throw new Failure(`${path}, which ${option} names, ${NO_TOKEN}`);
  return token;
}

/**
 * Returns the token that the environment holds, or undefined where the variable is not set.
 * @throws Failure where it is set and empty, or unusable: never is that no token
 */
export function tokenOfEnvironment(): string | undefined {
  const token = valueOf(TOKEN_VARIABLE, process.env);
  if (token === undefined) return undefined;
  rememberSecrets(token);
  if (!isToken(token)) throw usageFailure(`${TOKEN_VARIABLE} ${NO_TOKEN}`);
  return token;
}

/** Told instead of the token, which is never shown. */
const NO_TOKEN = 'holds no usable token: it must be one line of ASCII without spaces';

/**
 * Returns whether a token can be sent in a header (RFC 6750, section 2.1: no white space, nothing
 * outside of ASCII).
 */
export function isToken(text: string): boolean {
  return /^[\x21-\x7e]+$/.test(text);
}

/** Returns the value of the Authorization header that carries a token. */
export function bearer(token: string): string {
  return `Bearer ${token}`;
}

/** Returns the token that an Authorization header carries, if it carries one. */
export function offeredToken(header: string | undefined): string | undefined {
  return /^bearer +(?<token>\S+) *$/i.exec(header ?? '')?.groups?.['token'];
}
