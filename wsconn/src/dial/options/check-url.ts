import { usageFailure } from '../../console/failure.ts';
import { type Source, variableOf } from '../../options/options.ts';
import { rememberSecretsOf, showGiven } from '../../console/secrets.ts';
import type { DialValues } from './dial-options.ts';

/** The scheme by which ws dials a unix socket: `ws+unix:/PATH/OF/SOCKET:/PATH/OF/URL`. */
export const UNIX_SCHEME = 'ws+unix:';

/**
 * Reads the URL of the server.
 * @throws Failure for what is none, or holds a password on the command line
 */
export function checkUrl(values: DialValues): URL {
  const text = values.required('url');
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const problem = problemOf(url, text);
  if (!url || problem !== undefined) {
    throw usageFailure(
      `${showUrlOption(values)} ${String(problem)}: give one such as wss://host/path`,
    );
  }
  rememberSecretsOf(url);
  checkSecret(text, values.source('url'), 'URL');
  return url;
}

/**
 * Shows the URL as it was given; a variable or a file is there for secrets, and half a URL may hold
 * one anywhere.
 */
export function showUrlOption(values: DialValues): string {
  const typed = values.source('url') === 'command line';
  return typed ? showGiven(values.required('url')) : values.nameOf('url');
}

/** Refuses a password in a URL of the command line, where everybody can read it. */
export function checkSecret(url: string | undefined, source: Source, name: string): void {
  if (url === undefined || source !== 'command line' || !URL.canParse(url)) return;
  if (new URL(url).password !== '') {
    const variable = variableOf(name.replace('--', ''));
    throw usageFailure(
      `${name} holds a password, and everybody can read a command line: put it into ${variable}`,
    );
  }
}

/** Returns whether what goes to a URL is encrypted. */
export function isEncrypted({ protocol }: URL): boolean {
  return protocol === 'wss:' || protocol === 'https:';
}

/** Returns why a text is not the URL of a server; undefined if it is. */
function problemOf(url: URL | undefined, text: string): string | undefined {
  if (!url) return 'is not a URL';
  if (!/^(?:(?:ws|http)s?|ws\+unix):$/.test(url.protocol)) {
    // In USER:PASSWORD@HOST the user takes the place of a scheme.
    return text.includes('://') ? `begins with ${url.protocol}//` : 'is not a URL';
  }
  return url.hash === '' ? undefined : 'has a fragment (#), which is never sent';
}
