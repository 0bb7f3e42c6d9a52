/** Name of the query parameter with the dialer's id (ShellHub, pkg/revdial, dialerUniqParam). */
const DIALER_PARAM = 'revdial.dialer';
/**
 * Name of the query parameter that identifies one dial (ShellHub, pkg/revdial,
 * ConnHandler).
 */
const UUID_PARAM = 'uuid';

/** Names one dial. A device gives both ids back in the path that it dials. */
export interface DialIds {
  readonly dialer: string;
  readonly uuid: string;
}

/** Formats the path that a device is to dial: `/ssh/revdial?revdial.dialer=<id>&uuid=<uuid>`. */
export function formatConnPath(path: string, { dialer, uuid }: DialIds): string {
  const separator = path.includes('?') ? '&' : '?';
  return `${path}${separator}${DIALER_PARAM}=${dialer}&${UUID_PARAM}=${uuid}`;
}

/**
 * Returns the ids in the query of a path, or null where one is missing. The path before the query
 * does not matter.
 */
export function parseConnPath(connPath: string): DialIds | null {
  const mark = connPath.indexOf('?');
  const query = new URLSearchParams(mark === -1 ? '' : connPath.slice(mark + 1));
  const dialer = query.get(DIALER_PARAM);
  const uuid = query.get(UUID_PARAM);
  return dialer && uuid ? { dialer, uuid } : null;
}

/**
 * Checks that this is a path and nothing else, whatever it is put behind. It begins with one slash
 * (two begin a host). It has no backslash (URL parsers read it as a slash), no control character or
 * space (they drop some of them), no `#`, and nothing beyond ASCII.
 */
export function isPathOnly(connPath: string): boolean {
  return /^\/(?!\/)[!"$-[\]-~]*$/.test(connPath);
}
