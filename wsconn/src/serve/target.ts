import net from 'node:net';

import { codeOf, whatWasTried, wordsOf } from '../console/explain.ts';
import { type HostPort, showHostPort } from '../console/host-port.ts';

/**
 * Time in ms that the target has to answer; a client waits for it, and its own limit for a
 * handshake is the same.
 */
const DIAL_TIMEOUT = 10_000;

/** Reports that the target cannot be reached. */
export class TargetError extends Error {
  override readonly name = 'TargetError';
  /** What a client may know: not where the target is. */
  readonly reason: string;

  constructor(target: HostPort, cause: Error) {
    const code = codeOf(cause) ?? wordsOf(cause);
    super(`cannot reach the target ${showHostPort(target)} (${whatWasTried(cause) ?? code})`, {
      cause,
    });
    this.reason = `the target of this server cannot be reached (${code}): check that it runs, and --to of wsconn serve`;
  }
}

/**
 * Dials the target by TCP and resolves when it has answered; rejects with a TargetError.
 * @param signal - gives up
 */
export function dialTarget(target: HostPort, signal: AbortSignal): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ ...target, allowHalfOpen: true, noDelay: true });
    const fail = (error: Error): void => {
      socket.destroy();
      settle();
      reject(new TargetError(target, error));
    };
    const late = setTimeout(() => {
      fail(Object.assign(new Error('no answer in time'), { code: 'ETIMEDOUT' }));
    }, DIAL_TIMEOUT);
    const giveUp = (): void => {
      fail(Object.assign(new Error('the client has closed the connection'), { code: 'ECANCELED' }));
    };
    const settle = (): void => {
      clearTimeout(late);
      signal.removeEventListener('abort', giveUp);
      socket.off('connect', done);
      socket.off('error', fail);
    };
    const done = (): void => {
      settle();
      resolve(socket);
    };
    socket.on('connect', done);
    socket.on('error', fail);
    signal.addEventListener('abort', giveUp);
    if (signal.aborted) giveUp();
  });
}
