import http from 'node:http';

const UPGRADE_REQUIRED = 426;
/** How often in one handshake timeout Node's HTTP server looks for requests that take too long. */
const CHECKS_PER_TIMEOUT = 4;

/**
 * Gives the options of an HTTP or HTTPS server that has no patience with a client that sends no
 * request.
 */
export function handshakeLimits(handshakeTimeout: number): http.ServerOptions {
  return {
    headersTimeout: handshakeTimeout,
    requestTimeout: handshakeTimeout,
    connectionsCheckingInterval: Math.ceil(handshakeTimeout / CHECKS_PER_TIMEOUT),
  };
}

/**
 * Makes the HTTP server of a WebSocket endpoint: it has no pages, and no patience with a client
 * that sends no request.
 */
export function makeHttpServer(handshakeTimeout: number): http.Server {
  return http.createServer(handshakeLimits(handshakeTimeout), (_request, response) => {
    response.writeHead(UPGRADE_REQUIRED, { 'Content-Type': 'text/plain', Upgrade: 'websocket' });
    response.end('This is a WebSocket endpoint: connect to it with a WebSocket client.\n');
  });
}
