import type net from 'node:net';
import type { AddressInfo } from 'node:net';

import { onTestFinished } from 'vitest';

import { next } from '../events.ts';

/**
 * Has a server listen for one test, on a free port of this machine or on a socket file, and returns
 * its port. What it has accepted is cut when the test is over.
 */
export async function listenForTest(server: net.Server, file?: string): Promise<number> {
  const sockets = new Set<net.Socket>();
  server.on('connection', (socket: net.Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => sockets.delete(socket));
  });
  if (file === undefined) server.listen(0, '127.0.0.1');
  else server.listen(file);
  await next(server, 'listening');
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  const address = server.address() as AddressInfo | string;
  return typeof address === 'string' ? 0 : address.port;
}
