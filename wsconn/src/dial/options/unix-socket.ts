import net from 'node:net';

import { codeOf } from '../../console/explain.ts';
import { usageFailure } from '../../console/failure.ts';

/** The most bytes of the path of a unix socket: sun_path of unix(7), without the zero at its end. */
const LONGEST_PATH = 107;

/** What an error of a unix socket means; the usual lines speak of hosts and ports. */
const MEANINGS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such socket: check its path, and whether the server runs',
  ECONNREFUSED: 'nobody listens on that socket: check whether the server runs',
  EACCES: 'permission denied: the socket does not let this user write to it',
  ENOTDIR: 'a part of the path is no directory: check the path',
};

/** The unix socket that a URL names. */
export class UnixSocket {
  /** Its path, by which lines name the server. */
  readonly path: string;

  /**
   * @param given - the URL as lines show it
   * @throws Failure for a URL that names none
   */
  constructor(url: URL, given: string) {
    const problem = problemOf(url);
    if (problem !== undefined) throw usageFailure(`${given} ${problem}`);
    this.path = pathOf(url);
    if (Buffer.byteLength(this.path) > LONGEST_PATH) {
      throw usageFailure(
        `${given} names a socket by more than ${String(LONGEST_PATH)} bytes: give a shorter path`,
      );
    }
  }

  /** Makes the connection: ws would take the escapes of the path for a part of it. */
  readonly connect = (): net.Socket => net.connect({ path: this.path });

  /** Returns what an error means; undefined where the usual line fits. */
  meaningOf(error: unknown): string | undefined {
    const code = codeOf(error);
    const meaning = code === undefined ? undefined : MEANINGS[code];
    return meaning === undefined ? undefined : `${meaning} (${String(code)})`;
  }
}

function pathOf({ pathname }: URL): string {
  // ws ends the path at the first colon too.
  return decodeURIComponent(pathname.split(':', 1)[0] ?? '');
}

function problemOf(url: URL): string | undefined {
  if (url.host !== '' || !url.pathname.startsWith('/')) {
    return 'is not the URL of a unix socket: give one such as ws+unix:/run/wsconn.sock:/path';
  }
  return /%(?![\da-f]{2})|%00/i.test(url.pathname)
    ? 'holds a percent sign that begins no escape: write it as %25'
    : undefined;
}
