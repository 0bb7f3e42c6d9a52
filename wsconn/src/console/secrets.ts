/** Stands where a secret was. */
const HIDDEN = '***';

/** Shorter ones would also hide parts of usual words; those in URLs are hidden by their place. */
const SHORTEST = 4;

/** Secrets of this process; there is one environment and one command line for all of it. */
const known = new Set<string>();

/** Remembers secrets: from then on no line shows them, also where a peer sends them back. */
export function rememberSecrets(...secrets: readonly string[]): void {
  for (const secret of secrets) if (secret.length >= SHORTEST) known.add(secret);
}

/** Remembers the secrets that a URL holds. */
export function rememberSecretsOf(url: URL): void {
  rememberSecrets(url.password, decoded(url.password));
}

/** Shows a URL without user, password, query and fragment. */
export function showUrl({ protocol, host, pathname, search, hash }: URL): string {
  // The URL of a unix socket has none.
  const authority = host === '' ? '' : `//${host}`;
  return `${protocol}${authority}${pathname}${search + hash === '' ? '' : `?${HIDDEN}`}`;
}

/** Quotes what somebody gave and cannot be used, without what is a secret if it is half a URL. */
export function showGiven(text: string): string {
  return `'${hideInUrl(text, true)}'`;
}

/** Hides in a line of text the secrets that are known, and those that their place gives away. */
export function hideSecrets(text: string): string {
  const shown = hideKnown(text).replace(
    /\b((?:proxy-)?authorization|cookie)(["']?\s*[:=]\s*)[^\n]+/gi,
    `$1$2${HIDDEN}`,
  );
  // Most lines have no such word, and each connection has two lines.
  if (!shown.includes('@') && !shown.includes('://')) return shown;
  return shown.replace(/[^\s'"]+/g, (word) => hideInUrl(word, word.includes('://')));
}

/** Hides the secrets that are known, and nothing else. */
export function hideKnown(text: string): string {
  let shown = text;
  const longestFirst = [...known].sort((a, b) => b.length - a.length);
  for (const secret of longestFirst) shown = shown.replaceAll(secret, HIDDEN);
  return shown;
}

/** Hides user and password, and query and fragment where there may be some, however malformed. */
function hideInUrl(text: string, hasQuery: boolean): string {
  const [scheme = ''] = /^[^:]*:\/\//.exec(text) ?? [];
  const at = text.lastIndexOf('@');
  const login = at >= scheme.length && (scheme !== '' || text.lastIndexOf(':', at) !== -1);
  const rest = login ? `${HIDDEN}${text.slice(at)}` : text.slice(scheme.length);
  const end = hasQuery ? rest.search(/[?#]/) : -1;
  return scheme + (end === -1 ? rest : `${rest.slice(0, end)}?${HIDDEN}`);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // A percent sign that stands for itself.
  }
}
