import net from 'node:net';

import { codeOf, whatWasTried, wordsOf } from '../console/explain.ts';
import { type Place, showPlace } from '../console/place.ts';
import type { GiveUp } from '../tunnel/give-up.ts';

/**
 * Time in ms that the target has to answer; a client waits for it, and its own limit for a
 * handshake is the same.
 */
const DIAL_TIMEOUT = 10_000;

/** Reports that the target cannot be reached, or must not be. */
export class TargetError extends Error {
  override readonly name = 'TargetError';
  /** What happened, in an errno name, for the client. */
  readonly errno: string;
  /** What a client may know: not where the target is. */
  readonly reason: string;

  constructor(errno: string, message: string, reason: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.errno = errno;
    this.reason = reason;
  }
}

/** Reports that a target cannot be reached: where it is is told to the server alone. */
export function unreachable(place: Place, cause: Error): TargetError {
  const code = codeOf(cause) ?? 'EHOSTUNREACH';
  return new TargetError(
    code,
    `cannot reach the target ${showPlace(place)} (${whatWasTried(cause) ?? codeOf(cause) ?? wordsOf(cause)})`,
    `the target of this server cannot be reached (${code}): check that it runs, and --to of wsconn serve`,
    cause,
  );
}

/** Reports that an address cannot be reached that the client has chosen, and so may know. */
export function addressUnreachable(place: Place, cause: Error): TargetError {
  if (cause instanceof TargetError) return cause;
  const { errno, message } = unreachable(place, cause);
  return new TargetError(
    errno,
    message,
    `the server cannot reach ${showPlace(place)} (${errno})`,
    cause,
  );
}

/**
 * Dials the target and resolves when it has answered; rejects with a TargetError.
 * @param place - may bring a `lookup` of its own
 * @param asTargetError - makes the error of what prevented it
 */
export function dialTarget(
  place: Place & Pick<net.TcpSocketConnectOpts, 'lookup'>,
  nobodyWaits: GiveUp,
  asTargetError = unreachable,
): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ ...place, allowHalfOpen: true, noDelay: true });
    const fail = (error: Error): void => {
      socket.destroy();
      settle();
      reject(asTargetError(place, error));
    };
    const late = setTimeout(() => {
      fail(Object.assign(new Error('no answer in time'), { code: 'ETIMEDOUT' }));
    }, DIAL_TIMEOUT);
    const settle = (): void => {
      clearTimeout(late);
      stopListening();
      socket.off('connect', done);
      socket.off('error', fail);
    };
    const done = (): void => {
      settle();
      resolve(socket);
    };
    socket.on('connect', done);
    socket.on('error', fail);
    let stopListening = (): void => undefined;
    stopListening = nobodyWaits.onGiven(() => {
      fail(Object.assign(new Error('the client has closed the connection'), { code: 'ECANCELED' }));
    });
  });
}
