/** Name of the query parameter with the dialer's id (ShellHub, pkg/revdial, dialerUniqParam). */
const DIALER_PARAM = 'revdial.dialer';
/**
 * Name of the query parameter that tells one dial from the others (ShellHub, pkg/revdial,
 * ConnHandler).
 */
const UUID_PARAM = 'uuid';

/** What a pick-up is matched by. */
export interface PickUpIds {
  readonly dialer: string;
  readonly uuid: string;
}

/** Makes the path that a device is told to dial: `/ssh/revdial?revdial.dialer=<id>&uuid=<uuid>`. */
export function formatConnPath(path: string, { dialer, uuid }: PickUpIds): string {
  const separator = path.includes('?') ? '&' : '?';
  return `${path}${separator}${DIALER_PARAM}=${dialer}&${UUID_PARAM}=${uuid}`;
}

/**
 * Gives the ids in a path with its query, or null where one is missing. What stands before the
 * query is not looked at.
 */
export function parseConnPath(connPath: string): PickUpIds | null {
  const mark = connPath.indexOf('?');
  const query = new URLSearchParams(mark === -1 ? '' : connPath.slice(mark + 1));
  const dialer = query.get(DIALER_PARAM);
  const uuid = query.get(UUID_PARAM);
  return dialer && uuid ? { dialer, uuid } : null;
}

/**
 * Tells whether this is a path and nothing else, whatever it is put behind: it begins with one
 * slash (two begin a host), and has no backslash (URL parsers read it as a slash), no control
 * character or space (they drop some of them), no `#`, and nothing beyond ASCII.
 */
export function isPathOnly(connPath: string): boolean {
  return /^\/(?!\/)[!"$-[\]-~]*$/.test(connPath);
}
