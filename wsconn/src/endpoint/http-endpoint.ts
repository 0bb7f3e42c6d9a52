import http from 'node:http';
import https from 'node:https';
import type { SecureContextOptions } from 'node:tls';

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
 * Makes the HTTP or HTTPS server of `wsconn serve`. Handshakes that take too long are ended; the
 * library answers requests that do not ask for a WebSocket.
 */
export function createEndpoint({ tls, mutual }: EndpointOptions): http.Server | https.Server {
  const limits = {
    headersTimeout: HANDSHAKE_TIMEOUT,
    requestTimeout: HANDSHAKE_TIMEOUT,
    connectionsCheckingInterval: CHECK_INTERVAL,
  };
  if (!tls) return http.createServer(limits);
  const handshake = { handshakeTimeout: HANDSHAKE_TIMEOUT, requestCert: mutual ?? false };
  return https.createServer({ ...tls, ...handshake, ...limits });
}
