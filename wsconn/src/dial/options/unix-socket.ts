import net from 'node:net';

import { codeOf } from '../../console/explain.ts';

/** The scheme by which ws dials a unix socket: `ws+unix:/PATH/OF/SOCKET:/PATH/OF/URL`. */
export const UNIX_SCHEME = 'ws+unix:';

/** The most bytes of the path of a unix socket: sun_path of unix(7), without the zero at its end. */
const LONGEST_PATH = 107;

/** What an error of a unix socket means; the usual lines speak of hosts and ports. */
const MEANINGS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such socket: check its path, and whether the server runs',
  ECONNREFUSED: 'nobody listens on that socket: check whether the server runs',
  EACCES: 'permission denied: the socket does not let this user write to it',
  ENOTDIR: 'a part of the path is no directory: check the path',
};

/** Returns the path of the socket that a URL names; undefined where it names a host. */
export function socketPathOf({ protocol, pathname }: URL): string | undefined {
  if (protocol !== UNIX_SCHEME) return undefined;
  // ws ends the path at the first colon too.
  return decodeURIComponent(pathname.split(':', 1)[0] ?? '');
}

/** Returns what is wrong with the URL of a unix socket; undefined if nothing is. */
export function unixProblem(url: URL): string | undefined {
  if (url.host !== '' || !url.pathname.startsWith('/')) {
    return 'is not the URL of a unix socket: give one such as ws+unix:/run/wsconn.sock:/path';
  }
  if (/%(?![\da-f]{2})/i.test(url.pathname) || /%00/.test(url.pathname)) {
    return 'holds a percent sign that begins no escape: write it as %25';
  }
  if (Buffer.byteLength(socketPathOf(url) ?? '') > LONGEST_PATH) {
    return `names a socket by more than ${String(LONGEST_PATH)} bytes: give a shorter path`;
  }
  return undefined;
}

/** Returns what makes the connection: ws would take the escapes of the path for a part of it. */
export function unixConnector(path: string): typeof net.connect {
  // Called with the options of the request, which name the socket as ws sees it.
  return () => net.connect({ path });
}

/** Returns what an error of a unix socket means; undefined where the usual line fits. */
export function unixMeaning(error: unknown): string | undefined {
  const code = codeOf(error);
  const meaning = code === undefined ? undefined : MEANINGS[code];
  return meaning === undefined ? undefined : `${meaning} (${String(code)})`;
}
