import dns from 'node:dns';
import type { LookupFunction } from 'node:net';

import { quoted } from '../console/escape.ts';
import { type HostPort, showHostPort } from '../console/place.ts';
import type { OptionSpecs, Values } from '../options/options.ts';
import { ConnectPattern, usualName } from './connect-pattern.ts';
import { TargetError } from './dial-target.ts';
import { type Address, parseAddress, showAddress } from './ip-range.ts';
import { specialRangesOf } from './special-addresses.ts';

/** The option that lets clients choose addresses. */
export const ALLOW_CONNECT_OPTION = {
  'allow-connect': {
    value: 'HOST:PORT',
    multiple: true,
    help: 'addresses that clients may choose (forward --socks): names, *.NAME, networks, ranges of ports; may be given more than once (default none)',
  },
} as const satisfies OptionSpecs;

/** Where to connect to, and what looks up a name on the way. */
export interface CheckedAddress extends HostPort {
  readonly lookup?: LookupFunction;
}

/** Resolves a name to all of its addresses, once. */
export type Resolve = (name: string) => Promise<readonly { readonly address: string }[]>;

const resolveByHost: Resolve = (name) =>
  dns.promises.lookup(name, { all: true, order: 'verbatim' });

/** The addresses that clients may choose. */
export class AllowConnect {
  readonly #patterns: readonly ConnectPattern[];
  readonly #resolve: Resolve;

  /** @param resolve - resolves names; the host's own way where left out */
  constructor(patterns: readonly ConnectPattern[], resolve = resolveByHost) {
    this.#patterns = patterns;
    this.#resolve = resolve;
  }

  /** Whether there are none. */
  get isEmpty(): boolean {
    return this.#patterns.length === 0;
  }

  /** Says for a person whether there are any. */
  toString(): string {
    return this.isEmpty ? '' : 'addresses that clients choose (--allow-connect)';
  }

  /**
   * Checks an address that a client wants. What it returns can be given to `net.connect()`: its
   * lookup resolves a name once, and hands on only the addresses that it has checked.
   * @throws TargetError `EACCES` for one that no pattern lets through
   */
  check({ host, port }: HostPort): CheckedAddress {
    const address = parseAddress(host);
    const patterns = this.#patterns.filter((pattern) => pattern.hasPort(port));
    const shown = quoted(showHostPort({ host, port }));
    if (address) {
      if (isListed(address, patterns)) {
        return { host: showAddress(address), port };
      }
      throw notAllowed(`--allow-connect does not list ${shown}`, showUnlisted(address));
    }
    const name = usualName(host);
    if (name === undefined) {
      throw notAllowed(`${shown} is neither a host name nor an address in its usual form`);
    }
    if (!patterns.some((pattern) => pattern.hasName(name) || pattern.ofAddresses)) {
      throw notAllowed(`--allow-connect does not list ${shown}`);
    }
    return { host: name, port, lookup: this.#lookup(patterns, shown) };
  }

  #lookup(patterns: readonly ConnectPattern[], shown: string): LookupFunction {
    return (name, options, callback) => {
      this.#addressesOf(name, patterns, shown).then(
        (addresses) => {
          const [first] = addresses;
          if (options.all) callback(null, addresses);
          else callback(null, first?.address ?? '', first?.family);
        },
        (error: unknown) => {
          callback(error as NodeJS.ErrnoException, '');
        },
      );
    };
  }

  /** Returns the addresses of a name that the patterns let through; throws where there are none. */
  async #addressesOf(
    name: string,
    patterns: readonly ConnectPattern[],
    shown: string,
  ): Promise<{ address: string; family: number }[]> {
    const found = await this.#resolve(name);
    const addresses = found
      .map(({ address }) => parseAddress(address))
      .filter((address) => address !== undefined)
      .filter((address) => isListed(address, patterns, name))
      .map((address) => ({ address: showAddress(address), family: address.family }));
    if (addresses.length > 0) return addresses;
    throw notAllowed(
      `--allow-connect does not list the addresses of ${shown}`,
      found.map(({ address }) => showUnlisted(parseAddress(address))).join(', '),
    );
  }
}

/** @param name - the name that has led to the address, if there is one */
function isListed(address: Address, patterns: readonly ConnectPattern[], name?: string): boolean {
  const special = specialRangesOf(address);
  return patterns.some((pattern) => pattern.hasAddress(address, special, name));
}

/** Says which address is not listed, and why a pattern for all hosts does not do. */
function showUnlisted(address: Address | undefined): string {
  if (!address) return '';
  const shown = showAddress(address);
  return specialRangesOf(address).length === 0
    ? shown
    : `${shown}, of this machine or special, needs a pattern with the address`;
}

/** Reads the patterns of the option. */
export function readAllowConnect(values: Values<'allow-connect'>): AllowConnect {
  const option = values.nameOf('allow-connect');
  return new AllowConnect(
    values.list('allow-connect').map((text) => ConnectPattern.parse(text, option)),
  );
}

/** @param detail - what the log of the server says beside it */
function notAllowed(reason: string, detail = ''): TargetError {
  return new TargetError('EACCES', detail === '' ? reason : `${reason} (${detail})`, reason);
}
