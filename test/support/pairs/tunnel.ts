import { once } from 'node:events';
import net from 'node:net';

import {
  connect,
  type ConnectOptions,
  createServer,
  join,
  type WsConnAdapter,
} from '../../../src/index.ts';

/** A way through a WebSocket to something that listens on a socket. */
export interface Tunnel {
  readonly url: string;
  /** Opens a connection through the tunnel. Returns its adapter at once, still connecting. */
  readonly open: (options?: ConnectOptions) => WsConnAdapter;
  /**
   * Resolves when every connection so far has ended by itself; rejects with the error of the first
   * that did not end in order.
   */
  readonly quiet: () => Promise<void>;
  /** Ends what is left. */
  readonly stop: () => Promise<void>;
}

/**
 * Makes a tunnel to whatever listens at the target: what comes out of a WebSocket goes there, and
 * the other way round.
 */
export async function tunnelTo(target: net.NetConnectOpts): Promise<Tunnel> {
  const joined: Promise<void>[] = [];
  const closed: Promise<unknown>[] = [];
  const server = createServer((adapter) => {
    const connection = join(adapter, net.connect(target));
    // quiet() reports it, where the test asks.
    connection.catch(() => undefined);
    joined.push(connection);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  const url = `ws://127.0.0.1:${String(port)}`;
  return {
    url,
    open: (options) => {
      const adapter = connect(url, options);
      closed.push(new Promise((resolve) => adapter.once('close', resolve)));
      return adapter;
    },
    quiet: async () => {
      await Promise.all([...closed, ...joined]);
    },
    stop: () => server.close(),
  };
}
