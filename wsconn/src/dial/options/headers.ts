import { usageFailure } from '../../console/failure.ts';
import { rememberSecrets } from '../../console/secrets.ts';
import type { DialValues } from './dial-options.ts';

/** Headers that carry secrets. */
const SECRET_HEADERS = new Set(['authorization', 'cookie', 'proxy-authorization']);

/**
 * Reads the headers of the user.
 * @throws Failure for one that cannot be sent, or is a secret on the command line
 */
export function readHeaders(values: DialValues): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {};
  for (const [index, line] of values.list('header').entries()) {
    const { name, value } =
      /^(?<name>[!#$%&'*+\-.^_`|~\w]+):\s*(?<value>[\t\x20-\x7e]*)$/.exec(line)?.groups ?? {};
    if (name === undefined || value === undefined) {
      // It is not shown: it may be a secret.
      throw usageFailure(
        `${values.nameOf('header', index)} must be 'NAME: VALUE' in ASCII, but number ${String(index + 1)} is not`,
      );
    }
    if (isSecret(name)) rememberSecrets(value, ...value.split(' ').slice(1));
    if (isSecret(name) && values.source('header') === 'command line') {
      throw usageFailure(
        `the header ${name} is a secret, and everybody can read a command line: use --token-file or WSCONN_HEADER`,
      );
    }
    // Two headers of one name are one header with a list (RFC 9110, section 5.3).
    headers[name] = headers[name] === undefined ? value : `${headers[name]}, ${value}`;
  }
  return headers;
}

/** Returns whether a header carries a secret. */
export function isSecret(header: string): boolean {
  return SECRET_HEADERS.has(header.toLowerCase());
}
