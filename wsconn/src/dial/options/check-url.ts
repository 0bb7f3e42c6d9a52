import { usageFailure } from '../../console/failure.ts';
import { type Source, variableOf } from '../../console/options.ts';
import { rememberSecretsOf, showGiven } from '../../console/secrets.ts';
import type { DialValues } from './dial-options.ts';
import { socketPathOf, UNIX_SCHEME, unixProblem } from './unix-socket.ts';

/**
 * Reads the URL of the server.
 * @throws Failure for what is none, or holds a password on the command line
 */
export function checkUrl(values: DialValues): URL {
  const text = values.required('url');
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const problem = problemOf(url, text);
  // A variable is there for secrets, and half a URL may hold one anywhere.
  const what = values.source('url') === 'environment' ? values.nameOf('url') : showGiven(text);
  if (!url || problem !== undefined) {
    throw usageFailure(`${what} ${String(problem)}: give one such as wss://host/path`);
  }
  const unix = url.protocol === UNIX_SCHEME ? unixProblem(url) : undefined;
  if (unix !== undefined) throw usageFailure(`${what} ${unix}`);
  rememberSecretsOf(url);
  checkSecret(text, values.source('url'), 'URL');
  return url;
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

/** Returns how lines name the server: by host and port, or by the path of its socket. */
export function placeOf(url: URL): string {
  return socketPathOf(url) ?? url.host;
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
