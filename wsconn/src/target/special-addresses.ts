import { networkInterfaces } from 'node:os';

import { type Address, IpRange, parseAddress } from './ip-range.ts';

/**
 * Addresses that are not hosts of a network (IANA's registries of special-purpose addresses), or at
 * which clouds keep the secrets of their machines.
 */
const SPECIAL = [
  '0.0.0.0/8', // This host.
  '127.0.0.0/8', // Loopback.
  '169.254.0.0/16', // Link-local; the metadata of most clouds.
  '192.0.0.0/24', // Protocol assignments; the metadata of Oracle's cloud.
  '100.100.100.200', // The metadata of Alibaba's cloud.
  '168.63.129.16', // The host of a virtual machine in Azure.
  '224.0.0.0/4', // Multicast.
  '240.0.0.0/4', // Reserved, and broadcast.
  '::/96', // This host, loopback, and IPv4 addresses in a form of the past.
  '64:ff9b::/96', // IPv4 addresses behind a NAT64, any of these among them.
  '64:ff9b:1::/48', // The same, local.
  '::ffff:0:0:0/96', // The same, translated (RFC 2765).
  '2002::/16', // The same, 6to4.
  '2001::/32', // The same, Teredo.
  'fe80::/10', // Link-local.
  'fd00:ec2::/32', // The metadata of AWS.
  'ff00::/8', // Multicast.
].map((text) => {
  const range = IpRange.parse(text);
  if (!range) throw new Error(`${text} is no range`);
  return range;
});

const LOOPBACK = ['127.0.0.0/8', '::1'].map((text) => IpRange.parse(text));

/**
 * Returns the ranges that make an address one which is let through only where it is named: those of
 * special addresses, and those of this machine, each alone. Empty for a usual one.
 */
export function specialRangesOf(address: Address): readonly IpRange[] {
  return [...SPECIAL, ...ownAddresses()].filter((range) => range.has(address));
}

/** Returns whether an address is one by which this machine reaches itself alone. */
export function isLoopbackAddress(address: Address): boolean {
  return LOOPBACK.some((range) => range?.has(address));
}

/** Returns the addresses that this machine has now. */
function ownAddresses(): IpRange[] {
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .map(({ address }) => parseAddress(address))
    .filter((address) => address !== undefined)
    .map((address) => IpRange.single(address));
}
