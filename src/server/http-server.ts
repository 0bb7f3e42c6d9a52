import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { TLSSocket } from 'node:tls';

import { UPGRADE_REQUIRED } from './reject-upgrade.ts';

/** How often in one handshake timeout Node's HTTP server looks for requests that take too long. */
const CHECKS_PER_TIMEOUT = 4;

/** What a host may consist of: nothing else gets from a header to whoever reads the help. */
const HOST = /^[\w.:[\]-]+$/;
/** What a path may consist of: nothing that a shell would take for something else. */
const PATH = /^\/[\w.~%/:@+,=-]*$/;

/** Makes the HTTP server of a WebSocket endpoint: it waits so long for a client's request. */
export function makeHttpServer(handshakeTimeout: number): http.Server {
  return http.createServer({
    headersTimeout: handshakeTimeout,
    requestTimeout: handshakeTimeout,
    connectionsCheckingInterval: Math.ceil(handshakeTimeout / CHECKS_PER_TIMEOUT),
  });
}

/**
 * Answers a request that asks for no WebSocket with 426 and one line of help. A server does so by
 * itself where nobody else listens for requests; whoever does answers the others with this.
 */
export function answerUpgradeRequired(request: IncomingMessage, response: ServerResponse): void {
  // HTTP/2 has no Upgrade, and Node throws at both headers.
  const upgrade =
    request.httpVersionMajor === 1 ? { Connection: 'close', Upgrade: 'websocket' } : {};
  response.writeHead(UPGRADE_REQUIRED, {
    'Content-Type': 'text/plain; charset=utf-8',
    ...upgrade,
  });
  response.end(
    'This is a WebSocket endpoint: connect to it with a WebSocket client, ' +
      `such as npx wsconn connect ${urlOf(request)}\n`,
  );
}

/** The URL that was asked for, without its query, which may hold a secret. */
function urlOf({ headers, socket, url = '/' }: IncomingMessage): string {
  const scheme = (socket as Partial<TLSSocket>).encrypted ? 'wss' : 'ws';
  const host = headers.host !== undefined && HOST.test(headers.host) ? headers.host : 'HOST';
  const [path = ''] = url.split('?', 1);
  return `${scheme}://${host}${PATH.test(path) ? path : '/PATH'}`;
}
