import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';

export interface IdleLimitProxy {
  readonly port: number;
  /** Cuts all connections of now. */
  readonly cut: () => void;
  readonly close: () => Promise<void>;
}

/**
 * Stands in for a load balancer: forwards TCP to a port, and cuts a connection on which nothing
 * moves for `limit` ms. Listens on a free port, unless it is given one.
 */
export async function startIdleLimitProxy(
  targetPort: number,
  limit: number,
  port = 0,
): Promise<IdleLimitProxy> {
  const open = new Set<net.Socket>();
  const server = net.createServer((client) => {
    const target = net.connect(targetPort, '127.0.0.1');
    const cut = (): void => {
      client.destroy();
      target.destroy();
    };
    // Every byte passes the client's socket, so its idle clock sees both directions.
    client.setTimeout(limit, cut);
    for (const socket of [client, target]) {
      open.add(socket);
      socket.on('error', cut);
      socket.on('close', () => {
        cut();
        open.delete(socket);
      });
    }
    client.pipe(target).pipe(client);
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const cut = (): void => {
    for (const socket of open) socket.destroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    cut,
    close: async () => {
      server.close();
      cut();
      await once(server, 'close');
    },
  };
}
