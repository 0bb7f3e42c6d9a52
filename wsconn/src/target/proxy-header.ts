/**
 * The header of the PROXY protocol, version 2, that tells a target who the client is.
 * https://www.haproxy.org/download/1.8/doc/proxy-protocol.txt, section 2.2
 */
import { isIP, isIPv4 } from 'node:net';

import type { HostPort } from '../console/place.ts';

/** Both ends of a connection, as the server sees them. */
export interface Ends {
  /** The client's end. */
  readonly from: HostPort;
  /** The end of the server. */
  readonly to: HostPort;
}

const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
/** Version 2 in the upper half; in the lower one, who connects. */
const LOCAL = 0x20;
const PROXY = 0x21;
/** Address family in the upper half; TCP in the lower one. */
const TCP_OVER_IPV4 = 0x11;
const TCP_OVER_IPV6 = 0x21;
const UNSPECIFIED = 0x00;

/** Says that the server connects for itself, or for somebody whose address it does not know. */
export const LOCAL_HEADER = headerOf(LOCAL, UNSPECIFIED, []);

/**
 * Returns the header for a connection. Where one end has an IPv4 address and the other an IPv6
 * address, the former is written as an IPv6 address that stands for it.
 * @param ends - undefined where no address is known, as over a unix socket
 */
export function proxyHeader(ends: Ends | undefined): Buffer {
  const from = ends && addressOf(ends.from.host);
  const to = ends && addressOf(ends.to.host);
  if (!from || !to) return LOCAL_HEADER;
  const ports = Buffer.alloc(4);
  ports.writeUInt16BE(ends.from.port, 0);
  ports.writeUInt16BE(ends.to.port, 2);
  return from.v4 && to.v4
    ? headerOf(PROXY, TCP_OVER_IPV4, [from.v4, to.v4, ports])
    : headerOf(PROXY, TCP_OVER_IPV6, [from.v6, to.v6, ports]);
}

function headerOf(command: number, family: number, parts: readonly Buffer[]): Buffer {
  const addresses = Buffer.concat(parts);
  const head = Buffer.from([command, family, 0, 0]);
  head.writeUInt16BE(addresses.length, 2);
  return Buffer.concat([SIGNATURE, head, addresses]);
}

/** The first 12 bytes of an IPv6 address that stands for one of IPv4 (RFC 4291, section 2.5.5.2). */
const MAPPED = Buffer.from('00000000000000000000ffff', 'hex');

/** An address in bytes: in those of IPv6, and in those of IPv4 where it stands for such a one. */
interface Address {
  readonly v6: Buffer;
  readonly v4: Buffer | undefined;
}

/** Reads an address; undefined for what is none, such as a name. */
function addressOf(host: string): Address | undefined {
  const [text = ''] = host.split('%', 1);
  if (isIP(text) === 0) return undefined;
  if (isIPv4(text)) {
    const v4 = Buffer.from(text.split('.').map(Number));
    return { v4, v6: Buffer.concat([MAPPED, v4]) };
  }
  const v6 = bytesOf(text);
  const isMapped = v6.subarray(0, MAPPED.length).equals(MAPPED);
  return { v6, v4: isMapped ? v6.subarray(MAPPED.length) : undefined };
}

/** Returns the bytes of an IPv6 address. */
function bytesOf(text: string): Buffer {
  // The last 32 bits may be written as an IPv4 address.
  const plain = text.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, ...parts: string[]) => {
    const [a = 0, b = 0, c = 0, d = 0] = parts.map(Number);
    return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
  });
  const [left = '', right] = plain.split('::');
  const groups = (half: string | undefined): string[] => (half ? half.split(':') : []);
  const [before, after] = [groups(left), groups(right)];
  const zeros = Array<string>(8 - before.length - after.length).fill('0');
  const all = right === undefined ? before : [...before, ...zeros, ...after];
  return Buffer.from(all.map((group) => group.padStart(4, '0')).join(''), 'hex');
}
