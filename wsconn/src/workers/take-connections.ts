import type { Server as HttpServer, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

import { notedClientOf, noteClientOf } from '../admit/client-address.ts';
import type { LeasedPlaces } from './leased-places.ts';
import type { Handover } from './messages.ts';
import type { Worker } from './worker.ts';

/** Header of a client that comes back, and the first byte of the id in it: docs/resume.md. */
const RESUME_HEADER = 'wsconn-resume';
const FIRST_BYTE = /(?:^|;)\s*id=([0-9a-f]{2})/;

/**
 * Has an HTTP server of a worker take the connections that the primary process gives it. A client
 * that comes back to a connection of another worker is handed over to that one.
 * @param places - what the worker has of --max-connections, where all of them share it
 */
export function takeConnections(
  server: HttpServer,
  worker: Worker,
  places: LeasedPlaces | undefined,
): void {
  worker.on('connection', (socket) => {
    server.emit('connection', socket);
  });
  worker.on('handover', ({ bytes, client }, socket) => {
    handedOver.add(socket);
    if (client) noteClientOf(socket, client);
    socket.unshift(Buffer.from(bytes, 'base64'));
    server.emit('connection', socket);
  });
  // It never listens itself, and this is where Node begins to look for requests that take too long.
  server.emit('listening');
  const listeners = server.listeners('upgrade');
  server.removeAllListeners('upgrade');
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const holder = holderOf(request);
    if (holder !== undefined && holder !== worker.number && !handedOver.has(request.socket)) {
      handOver(worker, handoverOf(holder, request, head), request.socket);
      return;
    }
    const goOn = (): void => {
      socket.off('error', ignore);
      for (const listener of listeners) listener.call(server, request, socket, head);
    };
    socket.on('error', ignore);
    if (places) places.whenFree(goOn);
    else goOn();
  });
}

/** Sockets that came from another worker: they go no further. */
const handedOver = new WeakSet<Socket>();

function handOver(worker: Worker, handover: Handover, socket: Socket): void {
  socket.on('error', ignore);
  // Node would have the HTTP server ask after what it counts as its own.
  Reflect.set(socket, 'server', null);
  void worker.tell(handover, socket).then(() => socket.destroy());
}

function ignore(): void {
  // 'close' follows, and whoever takes the handshake sees that.
}

/** Returns the number of the worker that has made the id which a client comes back with. */
function holderOf({ headers }: IncomingMessage): number | undefined {
  const [, byte] = FIRST_BYTE.exec(String(headers[RESUME_HEADER] ?? '')) ?? [];
  return byte === undefined ? undefined : parseInt(byte, 16);
}

/** Writes a request as it came. */
function handoverOf(to: number, request: IncomingMessage, head: Buffer): Handover {
  const { method = 'GET', url = '/', httpVersion, rawHeaders, socket } = request;
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let i = 0; i < rawHeaders.length; i += 2) {
    lines.push(`${rawHeaders[i] ?? ''}: ${rawHeaders[i + 1] ?? ''}`);
  }
  const text = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
  return {
    type: 'handover',
    to,
    bytes: Buffer.concat([text, head]).toString('base64'),
    client: notedClientOf(socket),
  };
}
