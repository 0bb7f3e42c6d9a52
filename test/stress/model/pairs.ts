/** The kinds of connection that the model test runs histories over. */
import { once } from 'node:events';
import http from 'node:http';
import net, { type AddressInfo } from 'node:net';

import { WebSocket, WebSocketServer } from 'ws';

import {
  connect,
  createServer,
  join,
  WsConnAdapter,
  type WsConnAdapterOptions,
} from '../../../src/index.ts';
import { RevdialListener, RevdialServer } from '../../../src/revdial/index.ts';
import { Link } from '../../support/links/link.ts';
import type { Settings } from './history.ts';
import { CLOSE_TIMEOUT, type End } from './watched-end.ts';

/** A connection under test; `a` dials, perhaps still. */
export interface Made {
  readonly a: End;
  /** Resolves when the other end was accepted, or will not be. */
  readonly accepted: Promise<End | null>;
  readonly link: Link;
  /** WebSockets whose listeners must be gone at the end. */
  readonly webSockets: WebSocket[];
  /** What must settle when the connection is gone; with its error, if any, that of `a` first. */
  readonly settles: Promise<unknown>[];
  /** Promises that what is below the ends has broken; asked once it has stopped. */
  readonly problems?: () => readonly string[];
  /** Ends what is left. */
  stop(): Promise<void>;
}

/**
 * Makes a connection.
 * @param signals - of the end that dials, and of the one that is dialled
 * @param accept - called with the end that is dialled, in the turn in which it comes to be
 */
export type MakePair = (
  settings: Settings,
  signals: readonly AbortSignal[],
  accept: (end: End) => void,
) => Promise<Made>;

export type Options = Omit<WsConnAdapterOptions, 'signal'>;

export function optionsOf({
  allowHalfOpen,
  halfClose,
  highWaterMark,
  keepalive,
  tcpEndIsEof,
}: Settings): Options {
  return {
    allowHalfOpen,
    halfClose,
    tcpEndIsEof,
    closeTimeout: CLOSE_TIMEOUT,
    keepalive: keepalive ? { interval: 20, pongTimeout: 300 } : false,
    readableHighWaterMark: highWaterMark,
    writableHighWaterMark: highWaterMark,
  };
}

export async function listening(server: net.Server | http.Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

export async function linkTo(port: number, { rate }: Settings): Promise<Link> {
  const link = new Link(port, rate === undefined ? {} : { rate });
  await link.listen();
  return link;
}

export function closeAll(server: net.Server | http.Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => {
      resolve();
    });
  });
}

/**
 * Resolves with the first connection of a server, or with null when the dialling end closes first.
 * What comes after that is nobody's, and is ended.
 */
export function firstOf(
  dialled: End,
  accept: (end: End) => void,
  listen: (take: (one: End) => void) => void,
): Promise<End | null> {
  return new Promise((resolve) => {
    let late = false;
    listen((one) => {
      if (!late) {
        accept(one);
        resolve(one);
        return;
      }
      one.on('error', () => undefined);
      one.destroy();
    });
    dialled.once('close', () => {
      // What was dialled may be accepted a moment later than its dialler is gone.
      setTimeout(() => {
        late = true;
        resolve(null);
      }, 50);
    });
  });
}

/** For what is below a connection: its errors end what is above. */
export function ignore(end: End): void {
  end.on('error', () => undefined);
}

/** connect() and createServer(). */
export const overConnect: MakePair = async (settings, [ofA, ofB], accept) => {
  const options = optionsOf(settings);
  const server = createServer(options);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const link = await linkTo((server.address() as AddressInfo).port, settings);
  const a = connect(`ws://127.0.0.1:${String(link.port)}`, { ...options, signal: ofA });
  const webSockets = [a.ws];
  const accepted = firstOf(a, abortable(accept, ofB), (take) => {
    server.once('connection', (socket) => {
      webSockets.push(socket.ws);
      take(socket);
    });
  });
  const stop = async (): Promise<void> => {
    await server.close();
    await link.stop();
  };
  return { a, accepted, link, webSockets, settles: [], stop };
};

/** What is accepted has no option `signal`: this destroys it by hand. */
export function abortable(accept: (end: End) => void, signal: AbortSignal | undefined) {
  return (end: End): void => {
    const abort = (): void => {
      end.destroy(Object.assign(new Error('aborted'), { code: 'ABORT_ERR' }));
    };
    signal?.addEventListener('abort', abort);
    end.once('close', () => signal?.removeEventListener('abort', abort));
    accept(end);
  };
}

/** What docs/api.md tells those to give ws who bring a WebSocket of their own. */
const OWN = { perMessageDeflate: false, closeTimeout: 2 ** 31 - 1, maxPendingAutoPongs: 17_280 };

/** Adapters over WebSockets made by hand, which know of each other by option. */
export const overOwnWebSockets: MakePair = async (settings, [ofA, ofB], accept) => {
  const halfClose = settings.halfClose ?? true;
  const options = { ...optionsOf(settings), halfClose };
  const server = http.createServer();
  const wss = new WebSocketServer({ server, clientTracking: false, ...OWN });
  const link = await linkTo(await listening(server), settings);
  const ws = new WebSocket(`ws://127.0.0.1:${String(link.port)}`, OWN);
  const a = new WsConnAdapter(ws, { ...options, signal: ofA });
  const webSockets = [ws];
  const accepted = firstOf(a, accept, (take) => {
    wss.once('connection', (accepted) => {
      webSockets.push(accepted);
      take(new WsConnAdapter(accepted, { ...options, signal: ofB }));
    });
  });
  const stop = async (): Promise<void> => {
    for (const one of webSockets) one.terminate();
    wss.close();
    await closeAll(server);
    await link.stop();
  };
  return { a, accepted, link, webSockets, settles: [], stop };
};

/** What a device has dialled back with, to the dial that asked for it. */
export const revdial: MakePair = async (settings, [ofA, ofB], accept) => {
  const { keepalive: _, ...options } = optionsOf(settings);
  const hub = new RevdialServer({ path: '/dial', ...options });
  const controls = createServer();
  const server = http.createServer();
  const port = await listening(server);
  server.on('upgrade', (request, socket, head) => {
    if (request.url === '/control') controls.handleUpgrade(request, socket, head);
    else hub.handleUpgrade(request, socket, head);
  });
  const dialler = once(controls, 'connection').then(([control]) =>
    hub.createDialer(control as End),
  );
  const control = connect(`ws://127.0.0.1:${String(port)}/control`);
  const link = await linkTo(port, settings);
  const webSockets: WebSocket[] = [];
  const listener = new RevdialListener(control, (connPath, signal) => {
    const signals = ofA ? AbortSignal.any([ofA, signal]) : signal;
    const url = `ws://127.0.0.1:${String(link.port)}${connPath}`;
    const back = connect(url, { ...options, signal: signals });
    webSockets.push(back.ws);
    return back;
  });
  const [dialled, [back]] = await Promise.all([
    dialler.then((one) => one.dial()),
    once(listener, 'connection') as Promise<[WsConnAdapter]>,
  ]);
  webSockets.push(dialled.ws);
  const stop = async (): Promise<void> => {
    await Promise.all([listener.close(), hub.close(), controls.close()]);
    await closeAll(server);
    await link.stop();
  };
  abortable(accept, ofB)(dialled);
  return { a: back, accepted: Promise.resolve<End>(dialled), link, webSockets, settles: [], stop };
};

/** TCP, join(), adapter, adapter, join(), TCP: what a tunnel is. */
export const chain: MakePair = async (settings, [ofA, ofB], accept) => {
  const { allowHalfOpen } = settings;
  const options = { ...optionsOf(settings), tcpEndIsEof: false };
  const target = net.createServer({ allowHalfOpen });
  const targetPort = await listening(target);
  const settles: Promise<unknown>[] = [];
  const webSockets: WebSocket[] = [];
  const joined = (one: End, other: End): void => {
    settles.push(join(one, other).catch((error: unknown) => error));
  };
  const server = createServer(options, (socket) => {
    webSockets.push(socket.ws);
    joined(socket, net.connect({ port: targetPort, host: '127.0.0.1', allowHalfOpen: true }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const link = await linkTo((server.address() as AddressInfo).port, settings);
  const front = net.createServer({ allowHalfOpen: true }, (socket) => {
    const adapter = connect(`ws://127.0.0.1:${String(link.port)}`, options);
    webSockets.push(adapter.ws);
    joined(socket, adapter);
  });
  const a: End = net.connect({
    port: await listening(front),
    host: '127.0.0.1',
    allowHalfOpen,
    signal: ofA,
  });
  const accepted = firstOf(a, abortable(accept, ofB), (take) => {
    target.once('connection', (socket) => {
      take(socket);
    });
  });
  const stop = async (): Promise<void> => {
    await server.close();
    await Promise.all([closeAll(front), closeAll(target)]);
    await link.stop();
  };
  return { a, accepted, link, webSockets, settles, stop };
};
