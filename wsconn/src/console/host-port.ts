import { BlockList, isIP } from 'node:net';

import { usageFailure } from './failure.ts';
import { showGiven } from './secrets.ts';

/** An address to listen on or to connect to. */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

const MAX_PORT = 65_535;

/** Reads `HOST:PORT`; an IPv6 address stands in brackets, as in a URL. */
export function parseHostPort(text: string, option: string, leastPort = 0): HostPort {
  const match = /^(?:\[(?<v6>[\da-fA-F:.%\w]+)\]|(?<host>[^\s:[\]/]+)):(?<port>\d{1,5})$/.exec(
    text,
  );
  const host = match?.groups?.['v6'] ?? match?.groups?.['host'];
  const port = Number(match?.groups?.['port']);
  if (host === undefined || !(port >= leastPort && port <= MAX_PORT)) {
    throw usageFailure(
      `${option} must be HOST:PORT, such as 127.0.0.1:8080 or [::1]:8080, but is ${showGiven(text)}`,
    );
  }
  return { host, port };
}

/** Writes an address as it is written in a URL. */
export function showHostPort({ host, port }: HostPort): string {
  return `${host.includes(':') ? `[${host}]` : host}:${String(port)}`;
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
