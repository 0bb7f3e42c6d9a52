import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';

import { onTestFinished } from 'vitest';

/**
 * Starts a TCP server on a free port and gives the port; its connections are destroyed with it when
 * the test is over.
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

/** Gives back what it gets, and ends when the client has. */
export function echo(socket: net.Socket): void {
  socket.pipe(socket);
}
