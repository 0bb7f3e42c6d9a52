/** How connections come to their end: one rule for all subcommands. */
import { ResumableSocket, type SocketDuplex, WsConnError, WsConnSocket } from 'ws-conn-adapter';

import { GOING_AWAY, NORMAL_CLOSURE } from '../console/codes.ts';

/**
 * Time in ms without progress after which the rest is given up: that of the adapter's own close().
 */
export const STOP_TIMEOUT = 5_000;

/**
 * Resolves when the WebSocket below a connection has closed; where one follows another, the last.
 * It may outlive the connection's 'close': its socket then reads on, so that a slow peer gets all
 * that was sent to it. A process that exits before that would reset the connection.
 */
export async function webSocketClosed(connection: WsConnSocket): Promise<void> {
  if (connection instanceof ResumableSocket && !connection.closed) {
    await new Promise((resolve) => connection.once('close', resolve));
  }
  const { ws } = connection;
  if (ws && ws.readyState !== ws.CLOSED) await new Promise((resolve) => ws.once('close', resolve));
}

/**
 * Waits until the WebSocket below a connection has closed, and terminates it after `STOP_TIMEOUT`.
 * Returns whether it closed in time.
 */
export async function webSocketClosedInTime(connection: WsConnSocket): Promise<boolean> {
  let inTime = true;
  const late = setTimeout(() => {
    inTime = false;
    // Else another WebSocket would follow.
    if (connection instanceof ResumableSocket) connection.resetAndDestroy();
    connection.ws?.terminate();
  }, STOP_TIMEOUT);
  await webSocketClosed(connection);
  clearTimeout(late);
  return inTime;
}

/** Whether a connection that outlives its WebSocket has none now, and has not closed. */
export function hasLostPath(connection: SocketDuplex): boolean {
  return connection instanceof ResumableSocket && connection.ws === null && !connection.closed;
}

/**
 * Stops taking from the local end, and delivers what was taken from it before; the other direction
 * goes on. Resolves with true when all of it has left this program, and with false when none of it
 * did for `STOP_TIMEOUT`: how fast it goes does not matter. A WebSocket that is still connecting is
 * given up, together with what was meant for it. Where the path is lost, nothing is waited for: the
 * connection's `close()` has a limit of its own for all that was written.
 * @param stopTaking - makes what was taken the last that is written to the connection
 * @param carrier - what the connection runs over
 */
export async function deliverTaken(
  connection: SocketDuplex,
  stopTaking: () => void,
  carrier = connection,
): Promise<boolean> {
  stopTaking();
  if (connection instanceof WsConnSocket && connection.connecting)
    return connection.writableLength === 0;
  if (!connection.destroyed && !connection.writableFinished)
    await finishedOrStalled(connection, carrier);
  return connection.writableFinished;
}

function finishedOrStalled(connection: SocketDuplex, carrier: SocketDuplex): Promise<void> {
  if (hasLostPath(carrier)) return Promise.resolve();
  return new Promise((resolve) => {
    let unsent = connection.writableLength;
    const settle = (): void => {
      clearInterval(watch);
      connection.off('finish', settle);
      connection.off('close', settle);
      carrier.off('disconnect', settle);
      resolve();
    };
    const watch = setInterval(() => {
      if (connection.writableLength === unsent) settle();
      unsent = connection.writableLength;
    }, STOP_TIMEOUT);
    connection.on('finish', settle);
    connection.on('close', settle);
    carrier.on('disconnect', settle);
  });
}

/**
 * Closes a connection after `deliverTaken()`, and resolves when its WebSocket has closed. It sends
 * Close 1000 where all that was taken has been delivered, so that the peer sees its end, and else
 * 1001, which tells the peer that it was cut. Where the path is lost the end comes behind all that
 * was written, or not at all, so it is 1000. Returns what `close()` returns: an error where not
 * all may have arrived, or null. A connection that had closed before and lingered for longer than
 * `STOP_TIMEOUT` is an `ETIMEDOUT` too.
 */
export async function closeDelivered(adapter: WsConnSocket): Promise<Error | null> {
  const whole = adapter.writableFinished || hasLostPath(adapter);
  const error = await adapter.close(whole ? NORMAL_CLOSURE : GOING_AWAY);
  if ((await webSocketClosedInTime(adapter)) || error) return error;
  return new WsConnError('ETIMEDOUT', 'what the peer had not read in time may be lost');
}
