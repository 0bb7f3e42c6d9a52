/**
 * What becomes of connections when the program is asked to stop: one rule for `connect` and
 * `forward`.
 */
import { type SocketDuplex, WsConnAdapter, WsConnError } from 'ws-conn-adapter';

import { GOING_AWAY, NORMAL_CLOSURE } from '../console/codes.ts';

import { goneWithin } from './gone.ts';

/**
 * Time in ms without headway after which the rest is given up: that of the adapter's own close().
 */
export const STOP_TIMEOUT = 5_000;

/**
 * Stops taking from the local end, and hands on what was taken from it already; what comes the
 * other way goes on. Resolves with true when all of it has left this program, and with false when
 * none of it did for `STOP_TIMEOUT`: how fast it goes does not matter. A WebSocket that is not
 * there yet is given up, and with it what was meant for it.
 * @param stopTaking - makes what was taken the last that is written to the connection
 */
export async function handOn(connection: SocketDuplex, stopTaking: () => void): Promise<boolean> {
  stopTaking();
  if (connection instanceof WsConnAdapter && connection.connecting)
    return connection.writableLength === 0;
  if (!connection.destroyed && !connection.writableFinished) await finishOrStandstill(connection);
  return connection.writableFinished;
}

function finishOrStandstill(connection: SocketDuplex): Promise<void> {
  return new Promise((resolve) => {
    let unsent = connection.writableLength;
    const settle = (): void => {
      clearInterval(watch);
      connection.off('finish', settle);
      connection.off('close', settle);
      resolve();
    };
    const watch = setInterval(() => {
      if (connection.writableLength === unsent) settle();
      unsent = connection.writableLength;
    }, STOP_TIMEOUT);
    connection.on('finish', settle);
    connection.on('close', settle);
  });
}

/**
 * Closes a connection after `handOn()`, and resolves when nothing of it is left: with 1000 where
 * all that was taken has been handed on, so that the peer sees the end of it, or with 1001, which
 * tells the peer that it was cut. Gives what `close()` gives, an error where not all may have
 * arrived; `ETIMEDOUT` too for one that had closed and lingered for longer than `STOP_TIMEOUT`.
 */
export async function closeStopped(adapter: WsConnAdapter): Promise<Error | null> {
  const error = await adapter.close(adapter.writableFinished ? NORMAL_CLOSURE : GOING_AWAY);
  if ((await goneWithin(adapter, STOP_TIMEOUT)) || error) return error;
  return new WsConnError('ETIMEDOUT', 'what the peer had not read in time may be lost');
}
