import { AsyncLocalStorage } from 'node:async_hooks';
import type { Server as HttpServer } from 'node:http';
import { Server as HttpsServer } from 'node:https';
import type { Socket } from 'node:net';

import { codeOf, wordsOf } from '../console/explain.ts';
import type { Log } from '../log/log.ts';
import { noteClientOf, noteClients, peerOf, showAddress } from './client-address.ts';
import { LimitedLog } from './limited-log.ts';
import { readProxyHeader } from './read-proxy-header.ts';
import type { ClientAddress, TrustedProxies } from './trusted-proxies.ts';

/** A TCP connection, before anything of HTTP. */
interface Connection {
  readonly peer: ClientAddress | undefined;
  /** The client that a PROXY header names. */
  readonly client: ClientAddress | undefined;
  /** Whether its TLS handshake is done, or is known to have failed. */
  decided: boolean;
}

/**
 * Reads the PROXY headers of trusted proxies, before TLS or HTTP, and logs TLS handshakes that are
 * refused. A server without either is left as it is.
 */
export function watchConnections(
  server: HttpServer | HttpsServer,
  proxies: TrustedProxies | undefined,
  log: Log,
): void {
  if (proxies) noteClients(server, proxies);
  if (!proxies && !(server instanceof HttpsServer)) return;
  const useless = new LimitedLog(log, 'connections of proxies that are of no use');
  const begin = server instanceof HttpsServer ? watchHandshakes(server, log) : noteClient;
  const listeners = server.listeners('connection');
  server.removeAllListeners('connection');
  const handOver = (socket: Socket, peer: Connection['peer'], client?: ClientAddress): void => {
    begin(socket, { peer, client, decided: false }, () => {
      for (const listener of listeners) listener.call(server, socket);
    });
  };
  server.on('connection', (socket: Socket) => {
    const peer = peerOf(socket);
    if (!proxies?.has(peer)) {
      handOver(socket, peer);
      return;
    }
    void readProxyHeader(socket).then((beginning) => {
      if (beginning.kind === 'read') {
        handOver(socket, peer, beginning.client);
        return;
      }
      socket.destroy();
      if (beginning.kind === 'ended') return;
      const from = showAddress(peer);
      useless.info(`closed a connection of the proxy ${from}: ${beginning.why}`, {
        event: 'refused',
        from,
        reason: beginning.why,
      });
    });
  });
}

/** Notes the client of a connection, and has it go on. */
function noteClient(socket: Socket, { client }: Connection, goOn: () => void): void {
  if (client) noteClientOf(socket, client);
  goOn();
}

/** Logs TLS handshakes that fail, and notes the clients of those that do not. */
function watchHandshakes(server: HttpsServer, log: Log): typeof noteClient {
  const refused = new LimitedLog(log, 'refused TLS handshakes');
  // Node shows no way from the socket of TLS to the one below it, which alone knows the client.
  const connections = new AsyncLocalStorage<Connection>();
  const report = (connection: Connection, why: string): void => {
    if (connection.decided) return;
    connection.decided = true;
    const from = showAddress(connection.client ?? connection.peer);
    refused.info(`refused the TLS handshake of ${from}: ${why}`, {
      event: 'refused',
      from,
      reason: why,
    });
  };
  server.prependListener('secureConnection', (socket) => {
    const connection = connections.getStore();
    if (!connection) return;
    connection.decided = true;
    if (connection.client) noteClientOf(socket, connection.client);
  });
  server.on('tlsClientError', (error) => {
    const connection = connections.getStore();
    // Of those that hang up, 'close' tells below.
    if (connection && codeOf(error) !== 'ECONNRESET') report(connection, reasonOf(error));
  });
  return (socket, connection, goOn) => {
    socket.once('close', () => {
      // Whoever sent nothing has only looked whether somebody listens, as load balancers do.
      if (socket.bytesRead > 0) report(connection, 'the client hung up');
    });
    connections.run(connection, goOn);
  };
}

/** Reasons that Node names in words of its own. */
const REASONS: Readonly<Record<string, string>> = {
  ERR_SSL_HTTP_REQUEST: 'it sent plain HTTP',
  ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE: 'it sent no client certificate',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it sent no TLS',
  ERR_SSL_UNSUPPORTED_PROTOCOL: 'it knows no version of TLS that is safe',
  ERR_SSL_NO_SHARED_CIPHER: 'it knows no cipher that is safe',
  ERR_TLS_HANDSHAKE_TIMEOUT: 'it took too long',
};

function reasonOf(error: Error): string {
  const code = codeOf(error);
  // Of a client certificate OpenSSL says in its own words what is wrong.
  if (code === undefined) return wordsOf(error);
  return `${REASONS[code] ?? 'it failed'} (${code})`;
}
