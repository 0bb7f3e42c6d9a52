import { type AdminOptions, AdminServer } from '../admin/admin-server.ts';
import { ConnectionFigures } from '../admin/connection-figures.ts';
import { makeRegistry } from '../admin/registry.ts';
import type { Forwarding } from './forwarding.ts';

/**
 * Makes what shows the health and the figures of local ports that are forwarded.
 * @param targets - names of their targets
 */
export function watchForwarding(
  forwarding: Forwarding,
  targets: readonly string[],
  options: Omit<AdminOptions, 'registry'>,
): AdminServer {
  const registry = makeRegistry();
  const connections = new ConnectionFigures(registry, () => targets);
  forwarding.on('opened', (socket, target) => {
    connections.opened(socket, {
      kind: 'connection',
      target: () => target,
      // What a local program sends goes through a WebSocket.
      bytes: () => ({ received: socket.bytesWritten, sent: socket.bytesRead }),
    });
  });
  forwarding.on('closed', (socket, failed) => {
    connections.closed(socket, failed);
  });
  return new AdminServer({ ...options, registry });
}
