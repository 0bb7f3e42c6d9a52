import net from 'node:net';
import type { Duplex } from 'node:stream';

/** What a socket has beyond Duplex, and another stream may lack. */
interface Resettable {
  readonly connecting?: boolean;
  resetAndDestroy?: () => unknown;
}

/**
 * Resets a socket, so that its peer sees `ECONNRESET`; destroys it where it cannot be reset: before
 * its connection is there, and where it is no bare TCP.
 *
 * While the shutdown of an ended socket is under way, Node's resetAndDestroy() fails with EINVAL
 * and 'close' never comes (Node 20 to 26). It is over when the event loop has turned, and until
 * then the reset waits.
 */
export function resetSocket(socket: Duplex & Resettable, error?: Error): void {
  if (socket.destroyed) return;
  if (socket instanceof net.Socket && isShuttingDown(socket)) {
    socket.once('finish', () => {
      resetNow(socket, error);
    });
  } else {
    resetNow(socket, error);
  }
}

function isShuttingDown({
  connecting,
  writableEnded,
  writableFinished,
  writableLength,
}: net.Socket): boolean {
  return writableEnded && !writableFinished && writableLength === 0 && !connecting;
}

function resetNow(socket: Duplex & Resettable, error?: Error): void {
  if (!socket.connecting) {
    try {
      socket.resetAndDestroy?.();
    } catch {
      // Node resets bare TCP only, and throws ERR_INVALID_HANDLE_TYPE for TLS and pipes: destroy()
      // serves there.
    }
  }
  if (!socket.destroyed) socket.destroy(error);
}
