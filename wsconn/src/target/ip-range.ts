import { isIP } from 'node:net';

/** An address as a number. An IPv4 address written as an IPv6 one (`::ffff:1.2.3.4`) is the IPv4 one. */
export interface Address {
  readonly family: 4 | 6;
  readonly value: bigint;
}

const BITS = { 4: 32, 6: 128 } as const;
/** What the IPv4 addresses among those of IPv6 begin with (RFC 4291, section 2.5.5.2). */
const MAPPED = 0xffffn;

/** Reads an address; undefined for everything else, also for one with a zone. */
export function parseAddress(text: string): Address | undefined {
  const family = isIP(text);
  if (family === 4) return { family, value: valueOf4(text) };
  if (family !== 6 || text.includes('%')) return undefined;
  const value = valueOf6(text);
  return value >> 32n === MAPPED ? { family: 4, value: value & 0xffff_ffffn } : { family, value };
}

/** Writes an address in its usual form. */
export function showAddress({ family, value }: Address): string {
  if (family === 4) {
    return [24n, 16n, 8n, 0n].map((shift) => String((value >> shift) & 0xffn)).join('.');
  }
  const groups = Array.from({ length: 8 }, (_, index) =>
    ((value >> BigInt(112 - 16 * index)) & 0xffffn).toString(16),
  );
  // The URL parser knows which zeros to leave out.
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1);
}

function valueOf4(text: string): bigint {
  return text.split('.').reduce((value, part) => (value << 8n) | BigInt(part), 0n);
}

function valueOf6(text: string): bigint {
  // It writes all of them in groups of hexadecimal digits.
  const usual = new URL(`http://[${text}]`).hostname.slice(1, -1);
  const [head = '', tail] = usual.split('::');
  const before = groupsOf(head);
  const after = groupsOf(tail ?? '');
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => 0n);
  return [...before, ...zeros, ...after].reduce((value, group) => (value << 16n) | group, 0n);
}

function groupsOf(text: string): bigint[] {
  return text === '' ? [] : text.split(':').map((group) => BigInt(`0x${group}`));
}

/** The addresses that begin alike: a network, or a single address. */
export class IpRange {
  readonly #first: Address;
  readonly #bits: number;

  /** @param bits - how many of them are the same in all, of 32 or 128 */
  private constructor(first: Address, bits: number) {
    this.#first = first;
    this.#bits = bits;
  }

  /** Returns the range that has one address. */
  static single(address: Address): IpRange {
    return new IpRange(address, BITS[address.family]);
  }

  /**
   * Reads `ADDRESS` or `ADDRESS/BITS` (RFC 4632); undefined for what is none, and for a network
   * whose address has bits behind those.
   */
  static parse(text: string): IpRange | undefined {
    const [, host = '', length] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
    const address = parseAddress(host);
    if (!address) return undefined;
    const most = BITS[address.family];
    // Those of `::ffff:10.0.0.0/104` are counted in 128.
    const extra = host.includes(':') && address.family === 4 ? BITS[6] - BITS[4] : 0;
    const bits = length === undefined ? most : Number(length) - extra;
    if (bits < 0 || bits > most) return undefined;
    const range = new IpRange(address, bits);
    return range.#prefix(address) << BigInt(most - bits) === address.value ? range : undefined;
  }

  /** Returns whether the address is one of these. */
  has(address: Address): boolean {
    return (
      address.family === this.#first.family && this.#prefix(address) === this.#prefix(this.#first)
    );
  }

  /** Returns whether all of these are among the others. */
  within(other: IpRange): boolean {
    return this.#bits >= other.#bits && other.has(this.#first);
  }

  #prefix({ family, value }: Address): bigint {
    return value >> BigInt(BITS[family] - this.#bits);
  }
}
