import http, { type RequestListener } from 'node:http';
import https from 'node:https';
import type { SecureContextOptions } from 'node:tls';

import { UPGRADE_REQUIRED } from '../console/codes.ts';

/**
 * Time in ms in which a client must have done its TLS handshake, and again in which it must have
 * sent its request.
 */
const HANDSHAKE_TIMEOUT = 10_000;
/** How often, in ms, it looks for requests that take too long. */
const CHECK_INTERVAL = 2_500;

export interface EndpointOptions {
  /** Certificate, key and CA for TLS; without them it is plain HTTP. */
  readonly tls?: SecureContextOptions | undefined;
  /** Whether clients must present a certificate that the CA has signed. */
  readonly mutual?: boolean;
}

/**
 * Makes the HTTP or HTTPS server of `wsconn serve`. A request that does not ask for a WebSocket
 * gets status 426 and one line of help; handshakes that take too long are ended.
 */
export function createEndpoint({ tls, mutual }: EndpointOptions): http.Server | https.Server {
  const limits = {
    headersTimeout: HANDSHAKE_TIMEOUT,
    requestTimeout: HANDSHAKE_TIMEOUT,
    connectionsCheckingInterval: CHECK_INTERVAL,
  };
  const scheme = tls ? 'wss' : 'ws';
  const help: RequestListener = (request, response) => {
    response.writeHead(UPGRADE_REQUIRED, {
      Connection: 'close',
      'Content-Type': 'text/plain; charset=utf-8',
      Upgrade: 'websocket',
    });
    const host = request.headers.host ?? 'HOST';
    response.end(
      `This is wsconn, for WebSockets: connect with wsconn connect ${scheme}://${host}${request.url ?? '/'}\n`,
    );
  };
  if (!tls) return http.createServer(limits, help);
  const handshake = { handshakeTimeout: HANDSHAKE_TIMEOUT, requestCert: mutual ?? false };
  return https.createServer({ ...tls, ...handshake, ...limits }, help);
}
