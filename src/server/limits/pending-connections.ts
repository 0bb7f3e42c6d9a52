import http from 'node:http';
import https from 'node:https';
import type net from 'node:net';

/** Who was dropped, in the names of net.Server's 'drop'. */
export type Dropped = Pick<net.Socket, 'remoteAddress' | 'remotePort' | 'remoteFamily'>;

/** Listeners for these take requests before this package sees them. */
const TAKEN_BY_OTHERS = ['checkContinue', 'checkExpectation', 'connect'];

/** Bits of an IPv6 address that one customer has: his is the rest. */
const IPV6_GROUPS = 4;

/** A TCP connection, and what knows it again under TLS. */
type Key = string | net.Socket;

/**
 * Bounds the connections of an HTTP server that have not sent a request yet: idle ones, and those
 * within their TLS handshake or their first request. Where one is too many, the oldest of the
 * address that has most of them gives way. So one address cannot keep others out, whatever it does,
 * and a flood from very many leaves each newcomer the time that it takes to fill the bound again.
 * What has sent a request is never touched.
 */
export class PendingConnections {
  readonly #server: http.Server;
  readonly #limit: number;
  readonly #onClose: (this: net.Socket) => void;
  readonly #onDrop: (dropped: Dropped) => void;
  readonly #isTls: boolean;
  readonly #groupOf = new Map<Key, string>();
  /** The connections of each address, the oldest first. */
  readonly #groups = new Map<string, Map<Key, net.Socket>>();

  constructor(server: http.Server, limit: number, onDrop: (dropped: Dropped) => void) {
    this.#server = server;
    this.#limit = limit;
    this.#onDrop = onDrop;
    this.#isTls = isTls(server);
    // One for all sockets; it is called with its socket as `this`.
    const forget = this.#forget.bind(this);
    this.#onClose = function (this: net.Socket): void {
      forget(this);
    };
    // Of others, such as HTTP/2, it is not known which connection a request came by.
    if (isHttp1(server)) {
      server.on('connection', this.#onConnection);
    }
  }

  get size(): number {
    return this.#groupOf.size;
  }

  /** A request came by this socket, plain or TLS: it is pending no more. */
  remove(socket: net.Socket): void {
    this.#forget(this.#keyOf(socket));
  }

  detach(): void {
    this.#server.off('connection', this.#onConnection);
    for (const key of this.#groupOf.keys()) this.#forget(key);
  }

  /** Under TLS a request comes by another socket, which has the same addresses. */
  #keyOf(socket: net.Socket): Key {
    return this.#isTls ? addressesOf(socket) : socket;
  }

  readonly #onConnection = (socket: net.Socket): void => {
    const key = this.#keyOf(socket);
    // A TLS socket over a unix socket could not be told from another.
    if (key === socket && this.#isTls) return;
    const group = groupOf(socket.remoteAddress ?? '');
    const members = this.#groups.get(group) ?? new Map<Key, net.Socket>();
    this.#groups.set(group, members.set(key, socket));
    this.#groupOf.set(key, group);
    if (key === socket) {
      socket.on('close', this.#onClose);
    } else {
      socket.once('close', () => {
        if (this.#groups.get(group)?.get(key) === socket) this.#forget(key);
      });
    }
    if (this.size > this.#limit) this.#dropOne();
  };

  #forget(key: Key): void {
    const group = this.#groupOf.get(key);
    this.#groupOf.delete(key);
    if (group === undefined) return;
    if (typeof key !== 'string') key.off('close', this.#onClose);
    const members = this.#groups.get(group);
    members?.delete(key);
    if (members?.size === 0) this.#groups.delete(group);
  }

  #dropOne(): void {
    if (TAKEN_BY_OTHERS.some((event) => this.#server.listenerCount(event) > 0)) return;
    let most = new Map<Key, net.Socket>();
    for (const members of this.#groups.values()) if (members.size > most.size) most = members;
    const [oldest] = most;
    if (!oldest) return;
    const [key, socket] = oldest;
    this.#forget(key);
    const { remoteAddress, remotePort, remoteFamily } = socket;
    socket.destroy();
    this.#onDrop({ remoteAddress, remotePort, remoteFamily });
  }
}

/** The ends of a TCP connection; the socket itself, where it has none. */
function addressesOf(socket: net.Socket): Key {
  const { remoteAddress, remotePort, localAddress, localPort } = socket;
  if (remoteAddress === undefined || remotePort === undefined) return socket;
  return [remoteAddress, remotePort, localAddress, localPort].join(' ');
}

/** An IPv4 address, or what the addresses of one IPv6 network have in common. */
function groupOf(address: string): string {
  if (!address.includes(':') || address.includes('.')) return address;
  const [head = '', tail] = address.split('::', 2);
  const heads = head === '' ? [] : head.split(':');
  const tails = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : Math.max(8 - heads.length - tails.length, 0);
  const groups = [...heads, ...Array<string>(zeros).fill('0'), ...tails];
  return groups.slice(0, IPV6_GROUPS).join(':');
}

function isTls(server: net.Server): boolean {
  return server instanceof https.Server;
}

function isHttp1(server: net.Server): boolean {
  return server instanceof http.Server || isTls(server);
}
