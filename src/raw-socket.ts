import type net from 'node:net';
import type { Duplex } from 'node:stream';

import type { WebSocket } from 'ws';

/**
 * What lies below a WebSocket: a TCP or TLS socket as a rule, but ws runs over any Duplex (its option
 * `createConnection`), and such a one may lack what only sockets have.
 */
export type RawSocket = Duplex &
  Partial<
    Pick<
      net.Socket,
      | 'bytesRead'
      | 'bytesWritten'
      | 'localAddress'
      | 'localFamily'
      | 'localPort'
      | 'ref'
      | 'remoteAddress'
      | 'remoteFamily'
      | 'remotePort'
      | 'resetAndDestroy'
      | 'setKeepAlive'
      | 'setNoDelay'
      | 'setTimeout'
      | 'unref'
    >
  >;

/**
 * Gives the socket below an open WebSocket, or null before the handshake is done. This is the only place that reads a
 * private field of ws: `_socket` has had this name since ws 1.0, and ws offers no public way to the addresses, the byte
 * counters and the reset of the socket.
 */
export function rawSocket(ws: WebSocket): RawSocket | null {
  return (ws as unknown as { readonly _socket: RawSocket | null })._socket;
}
