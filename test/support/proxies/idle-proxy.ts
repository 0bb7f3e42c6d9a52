import net, { type AddressInfo } from 'node:net';

import { onTestFinished } from 'vitest';

import { next } from '../events.ts';

/**
 * Stands for a load balancer between two ends: it drops a connection on which one direction was
 * silent for too long.
 */
export async function idleProxy(
  target: number,
  idleLimit: number,
): Promise<{ port: number; drops: () => number }> {
  let drops = 0;
  const sockets = new Set<net.Socket>();
  const server = net
    .createServer((client) => {
      const upstream = net.connect(target, '127.0.0.1');
      for (const [from, to] of [
        [client, upstream],
        [upstream, client],
      ] as const) {
        sockets.add(from);
        from.on('error', () => to.destroy());
        from.on('close', () => to.destroy());
        let timer = setTimeout(drop, idleLimit);
        from.on('data', (chunk) => {
          clearTimeout(timer);
          timer = setTimeout(drop, idleLimit);
          to.write(chunk);
        });
        from.on('end', () => to.end());
        from.on('close', () => {
          clearTimeout(timer);
        });
      }
      function drop(): void {
        if (client.destroyed) return;
        drops++;
        client.destroy();
        upstream.destroy();
      }
    })
    .listen(0, '127.0.0.1');
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  await next(server, 'listening');
  return { port: (server.address() as AddressInfo).port, drops: () => drops };
}
