import { type Duplex, finished } from 'node:stream';

import { invalidArgType, WsConnError } from './errors.ts';

/** What a socket has beyond Duplex, and another stream may lack. */
interface SocketLike {
  readonly connecting?: boolean;
  resetAndDestroy?: () => unknown;
}

export interface JoinOptions {
  /**
   * Ends what is left when the other of the two has failed, in place of the reset: a `WsConnAdapter` can tell its peer why
   * with `close(code, reason)`. Called once for a stream that is not destroyed, which it must end.
   * @default resets the stream, or destroys it with the error where it has no reset
   */
  readonly cut?: ((stream: Duplex, error: Error) => void) | undefined;
}

/**
 * Makes one connection of two: what one gives is written to the other, both ways, with back pressure. When one direction
 * ends, its end is passed on and the other direction stays open, so half closes go through: `allowHalfOpen` of both
 * streams is set to true for it.
 *
 * An error or early close of one ends the other with it, by a reset where it has one: a stream that was cut must not
 * look whole. The promise resolves when both directions are done, and rejects with the first error, or with
 * `ECONNRESET` where a stream was closed before its end without one. Nothing is left on either.
 */
export async function join(a: Duplex, b: Duplex, options: JoinOptions = {}): Promise<void> {
  const cut = options.cut ?? resetOrDestroy;
  let first: Error | undefined;
  const fail = (error: Error, failed: Duplex): void => {
    if (first) return;
    first = error;
    // One that has told its error without being destroyed is not to tell it again.
    if (!failed.destroyed) failed.destroy();
    for (const stream of [a, b]) {
      if (!stream.destroyed) cut(stream, error);
    }
  };
  checkDuplex('a', a);
  checkDuplex('b', b);
  a.allowHalfOpen = true;
  b.allowHalfOpen = true;
  const bothDone = Promise.all([done(a, fail), done(b, fail)]);
  a.pipe(b);
  b.pipe(a);
  await bothDone;
  a.unpipe(b);
  b.unpipe(a);
  if (first) throw first;
}

function checkDuplex(name: string, stream: Partial<Duplex> | null | undefined): void {
  if (typeof stream?.pipe !== 'function' || typeof stream.write !== 'function') {
    throw invalidArgType(name, 'a Duplex', stream);
  }
}

/** Waits until both halves of the stream are done, whole or not. */
function done(stream: Duplex, fail: (error: Error, failed: Duplex) => void): Promise<void> {
  return new Promise((resolve) => {
    const letGo = finished(stream, (error) => {
      letGo();
      if (error) fail(stream.errored ?? asSocketError(error), stream);
      resolve();
    });
  });
}

/** Gives an early close the code that sockets have for it; every other error as it is. */
function asSocketError(error: NodeJS.ErrnoException): Error {
  if (error.code !== 'ERR_STREAM_PREMATURE_CLOSE') return error;
  const happened = 'one of the joined streams was closed before its end';
  return new WsConnError('ECONNRESET', happened, { cause: error });
}

function resetOrDestroy(stream: Duplex, error: Error): void {
  if (!reset(stream)) stream.destroy(error);
}

/** Resets the stream, where it is one that can be. */
function reset(stream: Duplex & SocketLike): boolean {
  if (stream.connecting) return false;
  try {
    stream.resetAndDestroy?.();
  } catch {
    // Node resets bare TCP only, and throws ERR_INVALID_HANDLE_TYPE for TLS and pipes: destroy() serves there.
  }
  return stream.destroyed;
}
