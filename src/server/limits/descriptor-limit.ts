import { readFileSync } from 'node:fs';

/** Where Linux tells what this process may use (proc(5)). */
const LIMITS = '/proc/self/limits';
const OPEN_FILES = /^Max open files +(\d+) /m;

/** Descriptors for what is no connection of a server: standard streams, files, names, listeners. */
const RESERVE = 64;
/** One for the WebSocket, one for what its user opens for it, such as the target of a tunnel. */
const PER_CONNECTION = 2;
/** Connections without a request, where the limit allows for more. */
const MOST_PENDING = 1_024;

/** How many connections a server takes by default. */
export interface ConnectionLimits {
  readonly maxConnections: number;
  readonly maxPendingConnections: number;
}

/** Where the system does not tell: on any that Node runs on, half of the descriptors at least. */
const ELSEWHERE: ConnectionLimits = { maxConnections: 1_024, maxPendingConnections: 256 };

/**
 * Returns how many connections fit into `descriptors`: a quarter, 1,024 at most, is for those that
 * have not sent a request yet; of the rest each connection may need two.
 */
export function connectionLimits(descriptors: number): ConnectionLimits {
  const free = Math.max(descriptors - RESERVE, 0);
  const maxPendingConnections = Math.max(Math.min(Math.floor(free / 4), MOST_PENDING), 1);
  const maxConnections = Math.max(Math.floor((free - maxPendingConnections) / PER_CONNECTION), 1);
  return { maxConnections, maxPendingConnections };
}

/** Returns the defaults for this process. */
export function defaultConnectionLimits(read = readLimits): ConnectionLimits {
  const soft = OPEN_FILES.exec(read())?.[1];
  return soft === undefined ? ELSEWHERE : connectionLimits(Number(soft));
}

/** Returns what Linux tells; nothing on another system, and where it hides /proc. */
function readLimits(): string {
  try {
    return readFileSync(LIMITS, 'utf8');
  } catch {
    return '';
  }
}
