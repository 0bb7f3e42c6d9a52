import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';

import { onTestFinished } from 'vitest';

/**
 * Starts a TCP server on a free port, and returns the port. When the test is over, the server and
 * its connections are destroyed.
 */
export async function target(onConnection: (socket: net.Socket) => void): Promise<number> {
  const open = new Set<net.Socket>();
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    // Whoever breaks off says so himself.
    socket.on('error', () => undefined);
    onConnection(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    const closed = once(server, 'close');
    server.close();
    for (const socket of open) socket.destroy();
    await closed;
  });
  return (server.address() as AddressInfo).port;
}

/** Sends back what it receives, and ends when the client has. */
export function echo(socket: net.Socket): void {
  socket.pipe(socket);
}
