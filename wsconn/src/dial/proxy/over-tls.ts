import type { Socket } from 'node:net';
import tls from 'node:tls';

import type { AgentConnectOpts } from 'agent-base';

/**
 * Starts TLS with the server over a way that a proxy has opened, where the URL asks for it. The
 * certificate must be for the host of the URL, also where that is an address: without `host` Node
 * would take the name of the proxy.
 */
export function overTls(socket: Socket, options: AgentConnectOpts): Socket {
  if (!options.secureEndpoint) return socket;
  // The path of the URL is none of a socket.
  const { path: _path, port: _port, ...rest } = options;
  return tls.connect({ ...rest, socket });
}
