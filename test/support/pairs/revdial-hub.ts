import http from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

import { onTestFinished } from 'vitest';

import {
  connect,
  type ConnectOptions,
  createServer,
  type WsConnAdapter,
} from '../../../src/index.ts';
import {
  type DialBack,
  type RevdialDialer,
  RevdialListener,
  type RevdialListenerOptions,
  RevdialServer,
  type RevdialServerOptions,
} from '../../../src/revdial/index.ts';
import { closeOf, next } from '../events.ts';

export const DIAL_BACK_PATH = '/ssh/revdial';
export const CONTROL_PATH = '/ssh/connection';

/**
 * A public server with its HTTP port, as ShellHub has it: one path for control connections, one
 * that devices dial back to.
 */
export interface Hub {
  readonly url: string;
  readonly revdial: RevdialServer;
  readonly http: http.Server;
  /** Paths that devices have dialled back, refused ones too. */
  readonly dialBacks: readonly string[];
  /** Resolves with the dialer of the next control connection. */
  nextDialer(): Promise<RevdialDialer>;
  stop(): Promise<void>;
}

/** Starts a hub on a free port of the loopback interface. */
export async function startHub(options: Partial<RevdialServerOptions> = {}): Promise<Hub> {
  const revdial = new RevdialServer({ path: DIAL_BACK_PATH, ...options });
  const controls = createServer({ path: CONTROL_PATH });
  const server = http.createServer();
  const sockets = new Set<Socket>();
  const dialBacks: string[] = [];
  const fresh: RevdialDialer[] = [];
  const takers: ((dialer: RevdialDialer) => void)[] = [];
  controls.on('connection', (control) => {
    const dialer = revdial.createDialer(control);
    const taker = takers.shift();
    if (taker) taker(dialer);
    else fresh.push(dialer);
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.on('upgrade', (request, socket, head) => {
    if (request.url === CONTROL_PATH) {
      controls.handleUpgrade(request, socket, head);
    } else {
      dialBacks.push(request.url ?? '');
      revdial.handleUpgrade(request, socket, head);
    }
  });
  server.listen(0, '127.0.0.1');
  await next(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `ws://127.0.0.1:${String(port)}`,
    revdial,
    http: server,
    dialBacks,
    nextDialer: () => {
      const dialer = fresh.shift();
      if (dialer) return Promise.resolve(dialer);
      return new Promise((resolve) => {
        takers.push(resolve);
      });
    },
    stop: async () => {
      const closed = next(server, 'close');
      server.close();
      await revdial.close();
      await controls.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** Starts a hub that is stopped when the test is over. */
export async function hubOfTest(options?: Partial<RevdialServerOptions>): Promise<Hub> {
  const hub = await startHub(options);
  onTestFinished(() => hub.stop());
  return hub;
}

/** Dials a hub back, as a device does. */
export function dialBackTo(url: string, options: ConnectOptions = {}): DialBack {
  return (connPath, signal) => connect(`${url}${connPath}`, { ...options, signal });
}

/** Connects a device to a hub. Resolves with its listener and the hub's dialer. */
export async function connectDevice(
  hub: Hub,
  options: RevdialListenerOptions = {},
  dialBack: DialBack = dialBackTo(hub.url),
): Promise<{ listener: RevdialListener; dialer: RevdialDialer; control: WsConnAdapter }> {
  const control = connect(`${hub.url}${CONTROL_PATH}`);
  const listener = new RevdialListener(control, dialBack, options);
  const dialer = await hub.nextDialer();
  // The hub knows of the connection before the device does.
  if (control.connecting) await next(control, 'connect');
  return { listener, control, dialer };
}

/** Makes a device send back whatever it gets, on every connection that it dials back. */
export function echo(listener: RevdialListener): void {
  listener.on('connection', (adapter) => {
    adapter.allowHalfOpen = true;
    adapter.on('error', () => undefined);
    adapter.pipe(adapter);
  });
}

/** Destroys streams and waits until they have closed. */
export async function destroyAll(streams: Iterable<WsConnAdapter>): Promise<void> {
  await Promise.all(
    Array.from(streams, (stream) => {
      const closed = closeOf(stream);
      stream.destroy();
      return closed;
    }),
  );
}
