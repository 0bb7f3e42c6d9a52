import type net from 'node:net';
import type { Duplex } from 'node:stream';

import type { WebSocket } from 'ws';

/**
 * What lies below a WebSocket: a TCP or TLS socket as a rule, but ws runs over any Duplex (its
 * option `createConnection`), and such a one may lack what only sockets have.
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
 * Returns the socket below an open WebSocket, or null before the handshake is done. This file is
 * the only place that reads private fields of ws. `_socket` has had this name since ws 1.0, and ws
 * offers no public way to the addresses, the byte counters and the reset of the socket.
 */
export function rawSocket(ws: WebSocket): RawSocket | null {
  return (ws as unknown as { readonly _socket: RawSocket | null })._socket;
}

/**
 * Allows the process to end while ws waits for the peer's answer to its Close, if the connection is
 * unref'd. ws has a timer for that, which is ref'd, cannot be turned off, and has no public access.
 * A version without it needs none of this.
 */
export function refCloseTimer(ws: WebSocket, referenced: boolean): void {
  const timer = (ws as unknown as { readonly _closeTimer?: NodeJS.Timeout | null })._closeTimer;
  if (referenced) timer?.ref();
  else timer?.unref();
}

/** Returns the listener by which ws reads from its socket; ws removes it when it reads no more. */
export function dataListenerOfWs(raw: RawSocket): unknown {
  const listeners = raw.listeners('data');
  return listeners.find(({ name }) => name === 'socketOnData') ?? listeners[0];
}

/**
 * Takes away the listener by which ws hears of the end of TCP, which it needs no more once it has
 * read Close: it would end what has ended, twice, and Node makes an error of each that nobody gets.
 * With their stacks they are 5 % of the CPU of a short connection.
 */
export function dropEndListenerOfWs(raw: RawSocket): void {
  const listener = raw.listeners('end').find(({ name }) => name === 'socketOnEnd');
  if (listener) raw.off('end', listener as () => void);
}
