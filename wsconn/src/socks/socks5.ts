/** The server's side of SOCKS 5 (RFC 1928): CONNECT, without a login. */
import { isIPv6, type Socket } from 'node:net';

import { quoted } from '../console/escape.ts';
import { Failure } from '../console/failure.ts';
import type { HostPort } from '../console/place.ts';
import { ExactReader } from './exact-reader.ts';
import {
  ADDRESS_TYPE_NOT_SUPPORTED,
  COMMAND_NOT_SUPPORTED,
  GENERAL_FAILURE,
  HTTP_REJECTED,
  NO_METHOD,
  replyOf,
  replyWith,
  SOCKS4_REJECTED,
  SUCCEEDED,
  WITHOUT_LOGIN,
} from './replies.ts';

/** Time in ms that a client has for its request. */
const HANDSHAKE_TIMEOUT = 10_000;
/** Time in ms in which a client that was refused must end its side. */
const END_TIMEOUT = 5_000;

const VERSION = 5;
const VERSION_4 = 4;
const NO_LOGIN = 0;
const CONNECT = 1;
/** Names of the other commands. */
const COMMANDS: Readonly<Record<number, string>> = { 2: 'BIND', 3: 'UDP ASSOCIATE' };
const IPV4 = 1;
const NAME = 3;
const IPV6 = 4;

/** What a host may consist of: what else there is could be taken for another part of a line. */
const HOST = /^[!-.0-9;-Z\\^-~]{1,255}$/;

/** Reports that a client was refused, and has been told so. */
export class SocksRefusal extends Failure {}

/**
 * Reads what address a client wants; undefined for one that ends without a word, as those do that
 * look whether somebody listens. What the client sends behind its request stays in the socket. A
 * name is not resolved.
 * @throws SocksRefusal for a request that cannot be served
 */
export async function readSocksRequest(
  socket: Socket,
  ms = HANDSHAKE_TIMEOUT,
): Promise<HostPort | undefined> {
  const reader = new ExactReader(socket, ms);
  const read = async (length: number): Promise<Buffer> => {
    const bytes = await reader.read(length);
    if (bytes.length < length) {
      throw new Failure('the local program ended its connection within its request');
    }
    return bytes;
  };
  const [version] = await reader.read(1);
  if (version === undefined) return undefined;
  if (version !== VERSION) throw refuseOther(socket, version);
  const [count = 0] = await read(1);
  if (!(await read(count)).includes(NO_LOGIN)) {
    throw refuse(socket, NO_METHOD, 'it wants to log in: leave user and password out');
  }
  socket.write(WITHOUT_LOGIN);
  const [again, command = 0, , type = 0] = await read(4);
  if (again !== VERSION) {
    throw refuse(socket, replyWith(GENERAL_FAILURE), 'its request is not one of SOCKS 5');
  }
  const host = await readHost(type, read);
  if (host === undefined) {
    throw refuse(
      socket,
      replyWith(ADDRESS_TYPE_NOT_SUPPORTED),
      `there is no type ${String(type)} of addresses`,
    );
  }
  const port = (await read(2)).readUInt16BE();
  if (command !== CONNECT) {
    const name = COMMANDS[command] ?? `command ${String(command)}`;
    throw refuse(
      socket,
      replyWith(COMMAND_NOT_SUPPORTED),
      `it wants ${name}, and there is only CONNECT`,
    );
  }
  if (!HOST.test(host) && !isIPv6(host)) {
    throw refuse(socket, replyWith(GENERAL_FAILURE), `no host is called ${quoted(host)}`);
  }
  if (port === 0) throw refuse(socket, replyWith(GENERAL_FAILURE), 'there is no port 0');
  return { host, port };
}

/** Tells a client that it is connected. */
export function acceptSocks(socket: Socket): void {
  socket.write(replyWith(SUCCEEDED));
}

/** Tells a client that it cannot be connected, by the errno name of why, and ends its connection. */
export function refuseSocks(socket: Socket, errno: string | undefined): void {
  endWith(socket, replyWith(replyOf(errno)));
}

async function readHost(
  type: number,
  read: (length: number) => Promise<Buffer>,
): Promise<string | undefined> {
  switch (type) {
    case IPV4:
      return (await read(4)).join('.');
    case IPV6: {
      const groups = (await read(16)).toString('hex').replace(/.{4}(?=.)/g, '$&:');
      return new URL(`http://[${groups}]`).hostname.slice(1, -1);
    }
    case NAME: {
      const [length = 0] = await read(1);
      const name = (await read(length)).toString('utf8');
      // Some clients send addresses like that, with or without brackets.
      return name.replace(/^\[(.*)\]$/, '$1');
    }
    default:
      return undefined;
  }
}

function refuseOther(socket: Socket, first: number): SocksRefusal {
  if (first === VERSION_4) {
    return refuse(socket, SOCKS4_REJECTED, 'it speaks SOCKS 4: set it to SOCKS 5 (socks5h://)');
  }
  // Every method of HTTP begins with a capital letter.
  if (/[A-Z]/.test(String.fromCharCode(first))) {
    return refuse(socket, HTTP_REJECTED, 'it speaks HTTP: set this port as a SOCKS proxy');
  }
  return refuse(socket, '', 'it does not speak SOCKS 5');
}

function refuse(socket: Socket, answer: Buffer | string, why: string): SocksRefusal {
  endWith(socket, answer);
  return new SocksRefusal(`the local program cannot be served: ${why}`);
}

/**
 * Ends a connection with an answer. Closed under what it has not read it would be reset, and the
 * answer with it.
 */
function endWith(socket: Socket, answer: Buffer | string): void {
  if (socket.destroyed) return;
  socket.end(answer);
  socket.resume();
  const late = setTimeout(() => {
    socket.destroy();
  }, END_TIMEOUT);
  socket.once('close', () => {
    clearTimeout(late);
  });
}
