import { BlockList, isIP } from 'node:net';

import { usageFailure } from './failure.ts';
import { showGiven } from './secrets.ts';
import { WORKER_VARIABLE } from './worker-variable.ts';

/** An address and a port of TCP. */
export interface HostPort {
  /** A name or an address; empty for every address of this machine, to listen on. */
  readonly host: string;
  readonly port: number;
}

/** A socket in the file system (unix(7)). */
export interface UnixPath {
  readonly path: string;
}

/** Where to listen or what to connect to; `net.connect()` and `listen()` take it as it is. */
export type Place = HostPort | UnixPath;

/** A socket that a service manager opened and handed over; it listens already: sd_listen_fds(3). */
export interface InheritedSocket {
  /** Its file descriptor. */
  readonly fd: number;
  /** Its name, from FileDescriptorName= of the unit. */
  readonly name: string;
}

/** Where to listen: also on a socket of which only the system knows where it is. */
export type ListenPlace = Place | InheritedSocket;

const MAX_PORT = 65_535;
const SYSTEMD = 'systemd';
/** The first descriptor that is handed over. */
const FIRST_INHERITED = 3;
const UNIX = 'unix:';
/** The longest path of a socket in bytes, without the zero at its end (unix(7)). */
const LONGEST_PATH = 107;

/**
 * Reads where to listen; a port alone is that port on every address of this machine, and `systemd`
 * or `systemd:NAME` a socket that a service manager hands over.
 */
export function parseListen(text: string, option: string): ListenPlace {
  if (text === SYSTEMD) return inherited(undefined, option);
  if (text.startsWith(`${SYSTEMD}:`)) return inherited(text.slice(SYSTEMD.length + 1), option);
  return parsePlace(text, option, { host: '', leastPort: 0 });
}

/** Reads what to connect to; a port alone is one of this machine. */
export function parseTarget(text: string, option: string): Place {
  return parsePlace(text, option, { host: 'localhost', leastPort: 1 });
}

/** Reads `HOST:PORT`, `:PORT`, `PORT` or `unix:/PATH`; an IPv6 address stands in brackets, as in a URL. */
function parsePlace(
  text: string,
  option: string,
  alone: { readonly host: string; readonly leastPort: number },
): Place {
  if (text.startsWith(UNIX)) return parsePath(text, option);
  const match = /^(?:(?:\[(?<v6>[\da-fA-F:.%\w]+)\]|(?<host>[^\s:[\]/]*)):)?(?<port>\d{1,5})$/.exec(
    text,
  );
  const host = match?.groups?.['v6'] ?? (match?.groups?.['host'] || alone.host);
  const port = Number(match?.groups?.['port']);
  if (!match || !(port >= alone.leastPort && port <= MAX_PORT)) {
    throw usageFailure(
      `${option} must be HOST:PORT or unix:/PATH, such as 127.0.0.1:8080, [::1]:8080 or :8080, but is ${showGiven(text)}`,
    );
  }
  return { host, port };
}

function parsePath(text: string, option: string): UnixPath {
  const path = text.slice(UNIX.length);
  const problem = !path.startsWith('/')
    ? 'must begin with unix:/, a path from the root'
    : Buffer.byteLength(path) > LONGEST_PATH
      ? `must have a path of at most ${String(LONGEST_PATH)} bytes`
      : path.includes('\0')
        ? 'must have a path without a zero byte'
        : undefined;
  if (problem === undefined) return { path };
  throw usageFailure(`${option} ${problem}, but is ${showGiven(text)}`);
}

/**
 * Returns the sockets that were handed to this process. The variables that say so name the process
 * that they are meant for: those of another one count for nothing.
 */
function inheritedSockets(): readonly InheritedSocket[] {
  const { LISTEN_PID, LISTEN_FDS = '', LISTEN_FDNAMES = '' } = process.env;
  // A worker names those of the process that has started it, and listens on none.
  const pid = process.env[WORKER_VARIABLE] === undefined ? process.pid : process.ppid;
  if (LISTEN_PID !== String(pid) || !/^\d{1,4}$/.test(LISTEN_FDS)) return [];
  const names = LISTEN_FDNAMES.split(':');
  return Array.from({ length: Number(LISTEN_FDS) }, (_, index) => {
    return { fd: FIRST_INHERITED + index, name: names[index] || 'unknown' };
  });
}

/** Finds the socket that was handed over under a name, or the only one. */
function inherited(name: string | undefined, option: string): InheritedSocket {
  const all = inheritedSockets();
  const [found, other] = name === undefined ? all : all.filter((each) => each.name === name);
  if (found && !other) return found;
  const names = all.map((each) => each.name).join(', ');
  if (all.length === 0) {
    throw usageFailure(
      `${option} needs a socket of systemd, but none was handed to this process: start it by a .socket unit, without a shell or npx in between`,
    );
  }
  const which = name === undefined ? '' : ` named ${showGiven(name)}`;
  const problem = found ? `more than one socket${which} was` : `no socket${which} was`;
  throw usageFailure(
    `${option}: ${problem} handed over, there are ${showGiven(names)}: name one as systemd:NAME, by its FileDescriptorName=`,
  );
}

export function isUnix(place: ListenPlace): place is UnixPath {
  return 'path' in place;
}

export function isInherited(place: ListenPlace): place is InheritedSocket {
  return 'fd' in place;
}

/** Writes a place as the options take it. */
export function showPlace(place: ListenPlace): string {
  if (isInherited(place)) return `${SYSTEMD}:${place.name}`;
  return isUnix(place) ? `${UNIX}${place.path}` : showHostPort(place);
}

/** Writes an address as it is written in a URL. */
export function showHostPort({ host, port }: HostPort): string {
  return `${host.includes(':') ? `[${host}]` : host}:${String(port)}`;
}

/** Returns whether only programs of this machine reach a place to listen on. */
export function isLocal(place: Place): boolean {
  return isUnix(place) || isLoopback(place.host);
}

/**
 * Returns whether only programs of this machine reach an address. A name other than localhost may
 * mean any address, so it counts as one that others reach.
 */
export function isLoopback(host: string): boolean {
  const address = host.replace(/^\[(.*)\]$/, '$1');
  if (/^localhost\.?$/i.test(address)) return true;
  const family = isIP(address);
  // Only addresses that are no loopback have a zone.
  if (family === 0 || address.includes('%')) return false;
  const loopback = new BlockList();
  loopback.addSubnet('127.0.0.0', 8);
  loopback.addAddress('::1', 'ipv6');
  return loopback.check(address, family === 6 ? 'ipv6' : 'ipv4');
}
