import type { IncomingMessage } from 'node:http';
import { isIPv6, type Socket } from 'node:net';
import type { Server } from 'node:net';

import { quoted } from '../console/escape.ts';
import { showHostPort } from '../console/place.ts';
import {
  type ClientAddress,
  plainAddress,
  type TrustedProxies,
  withoutZone,
} from './trusted-proxies.ts';

/** What a trusted proxy has said: in its PROXY header of a socket, and of a request in all. */
const ofSockets = new WeakMap<object, ClientAddress>();
const ofRequests = new WeakMap<IncomingMessage, ClientAddress | undefined>();

/** Notes the address that a PROXY header names for a socket. */
export function noteClientOf(socket: object, client: ClientAddress): void {
  ofSockets.set(socket, client);
}

/** Returns what was noted of a socket. */
export function notedClientOf(socket: object): ClientAddress | undefined {
  return ofSockets.get(socket);
}

/** Notes of each request of a server which client trusted proxies say that it comes from. */
export function noteClients(server: Server, proxies: TrustedProxies): void {
  const note = (request: IncomingMessage): void => {
    const { socket, headers } = request;
    const peer = ofSockets.get(socket) ?? peerOf(socket);
    if (!ofSockets.has(socket) && !proxies.has(peer)) return;
    const forwarded = headers['x-forwarded-for'];
    ofRequests.set(request, proxies.clientOf(forwarded && String(forwarded), peer));
  };
  server.prependListener('request', note);
  server.prependListener('upgrade', note);
}

/** Returns the address at the other end of a socket; undefined for a unix socket. */
export function peerOf({ remoteAddress, remotePort = 0 }: Socket): ClientAddress | undefined {
  if (remoteAddress === undefined) return undefined;
  return { host: plainAddress(remoteAddress), port: remotePort };
}

/**
 * Returns where a request comes from: what a proxy of --trusted-proxy says, else the other end of
 * its connection. Undefined is a unix socket. The port is 0 where a proxy has not named it.
 */
export function clientOf(request: IncomingMessage): ClientAddress | undefined {
  return ofRequests.has(request) ? ofRequests.get(request) : peerOf(request.socket);
}

/** Writes an address for the log. */
export function showAddress(address: ClientAddress | undefined): string {
  if (!address) return 'a unix socket';
  return address.port === 0 ? address.host : showHostPort(address);
}

/**
 * Describes where a request comes from: the client, and the trusted proxy between; or the other end
 * of its connection, and what its X-Forwarded-For says, which anybody can forge.
 */
export function showClient(request: IncomingMessage): string {
  const address = showAddress(clientOf(request));
  const peer = showAddress(peerOf(request.socket));
  if (ofRequests.has(request)) return address === peer ? address : `${address} via ${peer}`;
  const forwarded = request.headers['x-forwarded-for'];
  return forwarded === undefined
    ? address
    : `${address} (X-Forwarded-For: ${quoted(String(forwarded))})`;
}

/**
 * Returns what counts as one address where failures are counted: of IPv6 the network of 64 bits,
 * since one customer has all of it (RFC 6177).
 */
export function addressKey(address: ClientAddress | undefined): string {
  if (!address) return 'unix';
  const host = withoutZone(address.host);
  if (!isIPv6(host)) return host;
  // Of an address with all its groups, the first four.
  const [head = '', tail] = new URL(`http://[${host}]`).hostname.slice(1, -1).split('::');
  const [left, right] = [head, tail ?? ''].map((part) => part.split(':').filter(Boolean));
  const missing = tail === undefined ? 0 : 8 - (left?.length ?? 0) - (right?.length ?? 0);
  const groups = [...(left ?? []), ...Array<string>(missing).fill('0'), ...(right ?? [])];
  return `${groups.slice(0, 4).join(':')}::/64`;
}
