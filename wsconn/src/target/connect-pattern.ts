import { usageFailure } from '../console/failure.ts';
import { showGiven } from '../console/secrets.ts';
import { type Address, IpRange } from './ip-range.ts';
import { isLoopbackAddress } from './special-addresses.ts';

const MAX_PORT = 65_535;
const LONGEST_NAME = 253;
const LABEL = /^[a-z\d_](?:[a-z\d_-]{0,61}[a-z\d_])?$/;
/** What resolvers take for the last part of an IPv4 address, in decimal, octal or hexadecimal. */
const NUMBER = /^(?:\d+|0x[\da-f]*)$/;

/**
 * Returns a host name in the form in which it is compared: in small letters, without the dot at its
 * end. Undefined for what is no host name in ASCII, or would be taken for an address, such as
 * `0x7f.1` or `2130706433`.
 */
export function usualName(text: string): string | undefined {
  const name = text.toLowerCase().replace(/\.$/, '');
  const labels = name.split('.');
  const valid = name.length <= LONGEST_NAME && labels.every((label) => LABEL.test(label));
  return valid && !NUMBER.test(labels.at(-1) ?? '') ? name : undefined;
}

/** What hosts a pattern is for. */
type Hosts =
  | { readonly kind: 'any' }
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'below'; readonly suffix: string }
  | { readonly kind: 'addresses'; readonly range: IpRange };

/** One pattern of --allow-connect: hosts, and ports of theirs. */
export class ConnectPattern {
  readonly #hosts: Hosts;
  readonly #ports: readonly [first: number, last: number];

  private constructor(hosts: Hosts, ports: readonly [number, number]) {
    this.#hosts = hosts;
    this.#ports = ports;
  }

  /**
   * Reads `HOST:PORT`, where HOST is a name, `*.NAME`, an address, a network or `*`, and PORT a
   * number, a range or `*`.
   * @throws Failure for what is none
   */
  static parse(text: string, option: string): ConnectPattern {
    const [, v6, other = '', ports = ''] = /^(?:\[([^\]]*)\]|([^:[\]]+)):([^:]+)$/.exec(text) ?? [];
    const hosts = v6 === undefined ? parseHosts(other) : parseAddresses(v6, true);
    const range = parsePorts(ports);
    if (hosts && range) return new ConnectPattern(hosts, range);
    throw usageFailure(
      `${option} must be HOST:PORT, such as db.example.org:5432, *.example.org:443, 10.0.0.0/8:22, [2001:db8::/32]:* or *:8000-8999, but is ${showGiven(text)}`,
    );
  }

  /** Returns whether it is for a port. */
  hasPort(port: number): boolean {
    return port >= this.#ports[0] && port <= this.#ports[1];
  }

  /** Returns whether it is for a name, wherever that leads to. */
  hasName(name: string): boolean {
    const hosts = this.#hosts;
    switch (hosts.kind) {
      case 'any':
        return true;
      case 'name':
        return name === hosts.name;
      case 'below':
        return name.endsWith(hosts.suffix);
      case 'addresses':
        return false;
    }
  }

  /**
   * Returns whether it is for an address.
   * @param special - the ranges for which it is one that must be named; see `specialRangesOf()`
   * @param name - the name that has led to it, if there is one
   */
  hasAddress(address: Address, special: readonly IpRange[], name?: string): boolean {
    const hosts = this.#hosts;
    if (hosts.kind === 'addresses') {
      const { range } = hosts;
      return (
        range.has(address) && (special.length === 0 || special.some((each) => range.within(each)))
      );
    }
    if (special.length === 0) return name === undefined ? hosts.kind === 'any' : this.hasName(name);
    // That name means these addresses, and whoever lists it means them.
    return hosts.kind === 'name' && isLocalhost(hosts.name, name) && isLoopbackAddress(address);
  }

  /** Returns whether it may be for an address that a name leads to, though not for the name. */
  get ofAddresses(): boolean {
    return this.#hosts.kind === 'addresses';
  }
}

function isLocalhost(listed: string, name: string | undefined): boolean {
  return listed === 'localhost' && name === listed;
}

function parseHosts(text: string): Hosts | undefined {
  if (text === '*') return { kind: 'any' };
  if (text.startsWith('*.')) {
    const name = usualName(text.slice(2));
    return name === undefined ? undefined : { kind: 'below', suffix: `.${name}` };
  }
  const name = usualName(text);
  return name === undefined ? parseAddresses(text, false) : { kind: 'name', name };
}

function parseAddresses(text: string, inBrackets: boolean): Hosts | undefined {
  const range = text.includes(':') === inBrackets ? IpRange.parse(text) : undefined;
  return range && { kind: 'addresses', range };
}

function parsePorts(text: string): readonly [number, number] | undefined {
  if (text === '*') return [1, MAX_PORT];
  const [, first, last = first] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text) ?? [];
  const range = [Number(first), Number(last)] as const;
  return range[0] >= 1 && range[0] <= range[1] && range[1] <= MAX_PORT ? range : undefined;
}
