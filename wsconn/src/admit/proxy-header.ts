import { isIPv4, isIPv6 } from 'node:net';

import { type ClientAddress, plainAddress } from './trusted-proxies.ts';

/** What begins a header of version 1 and 2 (the PROXY protocol, sections 2.1 and 2.2). */
const V1 = Buffer.from('PROXY ');
const V2 = Buffer.from('\r\n\r\n\0\r\nQUIT\n');
/** Bytes of the longest line of version 1. */
const V1_LONGEST = 107;
/** Bytes of version 2 before its addresses. */
const V2_FIXED = 16;
/** Bytes of the longest rest of version 2 to take: what follows the addresses is not read. */
const V2_LONGEST = 4_096;
/** Bytes of the addresses and ports of version 2, by family and transport: TCP over IPv4 and IPv6. */
const TCP4 = { code: 0x11, address: 4, length: 12 };
const TCP6 = { code: 0x21, address: 16, length: 36 };

/** What the first bytes of a connection are. */
export type ProxyHeader =
  /** No header. */
  | { readonly kind: 'none' }
  /** The beginning of one, perhaps. */
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'malformed'; readonly why: string }
  | {
      readonly kind: 'header';
      readonly length: number;
      /** The client, where the proxy names one: not for its own health checks. */
      readonly client: ClientAddress | undefined;
    };

/** Reads the header that a proxy sends before anything else (haproxy.org, proxy-protocol.txt). */
export function parseProxyHeader(bytes: Buffer): ProxyHeader {
  if (beginsLike(bytes, V1)) return bytes.length < V1.length ? INCOMPLETE : parseV1(bytes);
  if (beginsLike(bytes, V2)) return bytes.length < V2_FIXED ? INCOMPLETE : parseV2(bytes);
  return { kind: 'none' };
}

const INCOMPLETE = { kind: 'incomplete' } as const;

function malformed(why: string): ProxyHeader {
  return { kind: 'malformed', why };
}

/** Returns whether bytes, which may be too few to tell, begin as a header does. */
function beginsLike(bytes: Buffer, start: Buffer): boolean {
  const length = Math.min(bytes.length, start.length);
  return bytes.subarray(0, length).equals(start.subarray(0, length));
}

function parseV1(bytes: Buffer): ProxyHeader {
  const end = bytes.subarray(0, V1_LONGEST).indexOf('\r\n');
  if (end === -1) return bytes.length < V1_LONGEST ? INCOMPLETE : malformed('its line has no end');
  const [, family, source = '', destination = '', sourcePort = '', destinationPort = '', ...more] =
    bytes.subarray(0, end).toString('latin1').split(' ');
  const length = end + 2;
  if (family === 'UNKNOWN') return { kind: 'header', length, client: undefined };
  const isAddress = family === 'TCP4' ? isIPv4 : isIPv6;
  if (family !== 'TCP4' && family !== 'TCP6')
    return malformed('its family is not TCP4, TCP6 or UNKNOWN');
  if (!isAddress(source) || !isAddress(destination) || more.length > 0)
    return malformed('its addresses are none');
  if (![sourcePort, destinationPort].every((port) => /^\d{1,5}$/.test(port) && +port <= 65_535))
    return malformed('its ports are none');
  return clientAt(source, Number(sourcePort), length);
}

function parseV2(bytes: Buffer): ProxyHeader {
  const command = bytes.readUInt8(12);
  const code = bytes.readUInt8(13);
  const rest = bytes.readUInt16BE(14);
  if (command !== 0x20 && command !== 0x21) return malformed('its version and command are unknown');
  if (rest > V2_LONGEST) return malformed(`it is longer than ${String(V2_LONGEST)} bytes`);
  const family = [TCP4, TCP6].find((one) => one.code === code);
  if (family && command === 0x21 && rest < family.length)
    return malformed('it is too short for its addresses');
  const length = V2_FIXED + rest;
  if (bytes.length < length) return INCOMPLETE;
  if (!family || command === 0x20) return { kind: 'header', length, client: undefined };
  const address = bytes.subarray(V2_FIXED, V2_FIXED + family.address);
  const port = bytes.readUInt16BE(V2_FIXED + 2 * family.address);
  return clientAt(showBytes(address), port, length);
}

function clientAt(source: string, port: number, length: number): ProxyHeader {
  return { kind: 'header', length, client: { host: plainAddress(source), port } };
}

function showBytes(address: Buffer): string {
  if (address.length === 4) return address.join('.');
  const groups = [0, 2, 4, 6, 8, 10, 12, 14].map((at) => address.readUInt16BE(at).toString(16));
  // An IPv4 address in an IPv6 one, as a socket for both families writes it.
  if (groups.slice(0, 6).join(':') === '0:0:0:0:0:ffff')
    return `::ffff:${address.subarray(12).join('.')}`;
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1);
}
