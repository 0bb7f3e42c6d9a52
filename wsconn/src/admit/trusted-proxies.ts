import { BlockList, isIP } from 'node:net';

import { usageFailure } from '../console/failure.ts';
import type { HostPort } from '../console/place.ts';
import { showGiven } from '../console/secrets.ts';
import type { OptionSpecs, Values } from '../options/options.ts';

/** The option that names the proxies to believe. */
export const PROXY_OPTION = {
  'trusted-proxy': {
    value: 'ADDRESS|CIDR',
    multiple: true,
    help: 'proxy to believe, by X-Forwarded-For or a PROXY header, from where a client comes, or unix; may be given more than once',
  },
} as const satisfies OptionSpecs;

/** Where a connection comes from: an address, and a port that is 0 where it is not known. */
export type ClientAddress = HostPort;

/** The word for programs that connect through the unix socket. */
const UNIX = 'unix';

/** The proxies that are believed. */
export class TrustedProxies {
  readonly #addresses = new BlockList();
  #unix = false;

  /** Adds an address, a network, or `unix`; returns whether it is one of these. */
  add(text: string): boolean {
    if (text === UNIX) {
      this.#unix = true;
      return true;
    }
    const [address = '', bits, ...more] = text.split('/');
    const version = isIP(address);
    if (version === 0 || address.includes('%') || more.length > 0) return false;
    const family = version === 6 ? 'ipv6' : 'ipv4';
    if (bits === undefined) {
      this.#addresses.addAddress(address, family);
      return true;
    }
    if (!/^\d{1,3}$/.test(bits) || Number(bits) > (version === 6 ? 128 : 32)) return false;
    this.#addresses.addSubnet(address, Number(bits), family);
    return true;
  }

  /** Returns whether the other end of a connection is one; undefined is a unix socket. */
  has(address: ClientAddress | undefined): boolean {
    if (!address) return this.#unix;
    const host = withoutZone(address.host);
    const version = isIP(host);
    return version !== 0 && this.#addresses.check(host, version === 6 ? 'ipv6' : 'ipv4');
  }

  /**
   * Returns the client that X-Forwarded-For names: the right-most address that is no proxy, since
   * whatever is left of that may be forged.
   * @param peer - where the request comes from; it alone counts where it is no trusted proxy
   */
  clientOf(forwarded: string | undefined, peer: ClientAddress | undefined): typeof peer {
    let client = peer;
    const hops = (forwarded ?? '').split(',');
    while (this.has(client)) {
      const hop = parseHop(hops.pop());
      if (!hop) break;
      client = hop;
    }
    return client;
  }
}

/**
 * Reads the proxies that the options name, or returns undefined where there are none.
 * @throws Failure with a line for the user
 */
export function readTrustedProxies(values: Values<'trusted-proxy'>): TrustedProxies | undefined {
  const given = values.list('trusted-proxy');
  if (given.length === 0) return undefined;
  const proxies = new TrustedProxies();
  for (const text of given) {
    if (proxies.add(text)) continue;
    throw usageFailure(
      `${values.nameOf('trusted-proxy')} must be an address such as 10.0.0.7, a network such as 10.0.0.0/8 or fd00::/8, or unix, but is ${showGiven(text)}`,
    );
  }
  return proxies;
}

/** Reads `ADDRESS`, `ADDRESS:PORT`, `[ADDRESS]` or `[ADDRESS]:PORT`, as proxies write them. */
function parseHop(text: string | undefined): ClientAddress | undefined {
  const hop = text?.trim() ?? '';
  if (isIP(hop) !== 0) return { host: plainAddress(hop), port: 0 };
  const match = /^(?:\[(?<v6>[^\]]*)\]|(?<v4>[\d.]+))(?::(?<port>\d{1,5}))?$/.exec(hop);
  const { v6 = '', v4 = '', port = '0' } = match?.groups ?? {};
  if ((isIP(v6) !== 6 && isIP(v4) !== 4) || Number(port) > 65_535) return undefined;
  return { host: plainAddress(v6 || v4), port: Number(port) };
}

/** Writes an IPv4 address as such, also where a socket for both families shows it as an IPv6 one. */
export function plainAddress(address: string): string {
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address;
}

/** Leaves out the interface of a link-local address. */
export function withoutZone(address: string): string {
  return address.replace(/%.*$/s, '');
}
