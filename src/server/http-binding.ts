import type http from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type net from 'node:net';
import type { Duplex } from 'node:stream';

import { answerUpgradeRequired } from './http-server.ts';
import { type Dropped, PendingConnections } from './limits/pending-connections.ts';

/** What an HTTP server reports to the WebSocket server that listens to it. */
export interface HttpBindingEvents {
  /** A handshake came that is for this WebSocket server, or for nobody. */
  readonly onUpgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
  readonly onListening: () => void;
  /** A connection that had not sent a request had to give way. */
  readonly onDrop: (dropped: Dropped) => void;
  readonly onError: (error: Error) => void;
}

/**
 * What each listener of this package for 'upgrade' takes, so that those of one HTTP server know of
 * each other.
 */
const pathsOf = new WeakMap<object, (request: IncomingMessage) => boolean>();
/** Listeners of this package for 'request'. */
const ownListeners = new WeakSet<object>();

/** Whether a request has the path, without its query; every one has, if that is undefined. */
export function hasPath({ url }: IncomingMessage, path: string | undefined): boolean {
  return path === undefined || url?.split('?', 1)[0] === path;
}

/**
 * Listens to an HTTP server, which others may listen to as well: handshakes with another path and
 * plain requests are theirs to answer, if there are any.
 */
export class HttpBinding {
  readonly server: http.Server;
  readonly #path: string | undefined;
  readonly #events: HttpBindingEvents;
  readonly #pending: PendingConnections;
  /** Connections that were told to close: what came behind that request is nobody's. */
  readonly #ended = new WeakSet<net.Socket>();

  /** @param maxPending - connections that may be there without having sent a request */
  constructor(
    server: http.Server,
    path: string | undefined,
    maxPending: number,
    events: HttpBindingEvents,
  ) {
    this.server = server;
    this.#path = path;
    this.#events = events;
    this.#pending = new PendingConnections(server, maxPending, events.onDrop);
    pathsOf.set(this.#onUpgrade, (request) => hasPath(request, path));
    ownListeners.add(this.#onRequest);
    server.on('upgrade', this.#onUpgrade);
    server.on('request', this.#onRequest);
    server.on('listening', events.onListening);
    server.on('error', events.onError);
  }

  /** Takes its listeners off the HTTP server. */
  detach(): void {
    const { onListening, onError } = this.#events;
    this.#pending.detach();
    this.server.off('upgrade', this.#onUpgrade);
    this.server.off('request', this.#onRequest);
    this.server.off('listening', onListening);
    this.server.off('error', onError);
  }

  readonly #onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    this.#pending.remove(request.socket);
    if (this.#ended.has(request.socket)) {
      request.socket.destroySoon();
      return;
    }
    if (hasPath(request, this.#path) || !this.#othersTake(request))
      this.#events.onUpgrade(request, socket, head);
  };

  /** Whether a handshake that is not for this server is answered by another listener. */
  #othersTake(request: IncomingMessage): boolean {
    const listeners = this.server.listeners('upgrade');
    const takes = listeners.map((listener) => pathsOf.get(listener));
    // Of servers of this package among themselves, the last one refuses what is for none of them.
    return (
      takes.some((take) => take === undefined || take(request)) ||
      listeners.at(-1) !== this.#onUpgrade
    );
  }

  readonly #onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    this.#pending.remove(request.socket);
    const listeners = this.server.listeners('request');
    const othersAnswer = listeners.some((listener) => !ownListeners.has(listener));
    // Of servers of this package among themselves, the first one answers.
    if (othersAnswer || listeners[0] !== this.#onRequest) return;
    this.#ended.add(request.socket);
    answerUpgradeRequired(request, response);
  };
}
