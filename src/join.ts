import net from 'node:net';
import { type Duplex, finished } from 'node:stream';

import { invalidArgType, WsConnError } from './base/errors.ts';
import { resetSocket } from './base/reset-socket.ts';
import { PEER_GONE, SocketDuplex } from './base/socket-duplex.ts';

/** Time in ms without a byte after which a socket that was ended is destroyed. */
const SILENCE = 5_000;

export interface JoinOptions {
  /**
   * Ends what is left when the other of the two has failed, in place of the reset: a
   * `WsConnAdapter` can tell its peer why with `close(code, reason)`. Called once for a stream that
   * is not destroyed, which it must end.
   * @default resets the stream, or destroys it with the error where it has no reset
   */
  readonly cut?: ((stream: Duplex, error: Error) => void) | undefined;
}

/**
 * Makes one connection of two: forwards what is read from one to the other, both ways, with back
 * pressure. When one direction ends, its end is passed on and the other direction stays open, so
 * half closes go through: `allowHalfOpen` of both streams is set to true for it. Where the peer of
 * one has ended both directions, as by a Close frame, the other gets what came before and is ended
 * too, since nobody could read what it sends.
 *
 * An error or early close of one ends the other with it, by a reset where it has one: a stream that
 * was cut must not look whole. The promise resolves when both directions are done, and rejects with
 * the first error, or with `ECONNRESET` where a stream was closed before its end without one.
 * Nothing is left on either.
 */
export async function join(a: Duplex, b: Duplex, options: JoinOptions = {}): Promise<void> {
  checkDuplex('a', a);
  checkDuplex('b', b);
  const pair = new JoinedPair(
    a,
    b,
    options.cut ??
      ((stream, error) => {
        resetSocket(stream, error);
      }),
  );
  await pair.done();
}

function checkDuplex(name: string, stream: Partial<Duplex> | null | undefined): void {
  if (typeof stream?.pipe !== 'function' || typeof stream.write !== 'function') {
    throw invalidArgType(name, 'a Duplex', stream);
  }
}

/** Two streams that are one connection. */
class JoinedPair {
  readonly #a: Duplex;
  readonly #b: Duplex;
  readonly #cut: (stream: Duplex, error: Error) => void;
  #first: Error | null = null;
  /** Whether the peer of one has ended both directions, and the other is ended for it. */
  #over = false;

  constructor(a: Duplex, b: Duplex, cut: (stream: Duplex, error: Error) => void) {
    this.#a = a;
    this.#b = b;
    this.#cut = cut;
  }

  /** Forwards the bytes, and resolves or rejects when both directions are done. */
  async done(): Promise<void> {
    const [a, b] = [this.#a, this.#b];
    a.allowHalfOpen = b.allowHalfOpen = true;
    const undo = [this.#forward(a, b), this.#forward(b, a)];
    await Promise.all([this.#finished(a), this.#finished(b)]);
    for (const stop of undo) stop();
    if (this.#first) throw this.#first;
  }

  /** Forwards the bytes one way; returns what takes its listeners off. */
  #forward(from: Duplex, to: Duplex): () => void {
    const onData = (): void => {
      batchWrites(to);
    };
    const onPeerGone = (): void => {
      this.#onPeerGone(from, to);
    };
    const onDone = (): void => {
      this.#onTakerDone(from, to);
    };
    from.on('data', onData);
    from.pipe(to);
    to.on('finish', onDone);
    to.on('close', onDone);
    if (from instanceof SocketDuplex && from.peerIsGone) onPeerGone();
    else from.once(PEER_GONE, onPeerGone);
    return () => {
      from.unpipe(to);
      from.off('data', onData);
      to.off('finish', onDone);
      to.off('close', onDone);
      from.off(PEER_GONE, onPeerGone);
    };
  }

  /** Ends `other` once it has got what came before: nobody could read what it sends. */
  #onPeerGone(gone: Duplex, other: Duplex): void {
    other.unpipe(gone);
    const end = (): void => {
      this.#over = true;
      if (!gone.writableEnded) gone.end();
      endAndDiscard(other);
    };
    if (gone.readableEnded) end();
    else gone.once('end', end);
  }

  /** One was ended by somebody else, as by close(): nobody takes what the other still sends. */
  #onTakerDone(from: Duplex, to: Duplex): void {
    if (this.#over || from.readableEnded || to.errored) return;
    this.#fail(
      new WsConnError('ECONNRESET', 'one of the joined streams was ended before the other'),
      to,
    );
  }

  /** Waits until both halves of the stream are done, whole or not. */
  #finished(stream: Duplex): Promise<void> {
    return new Promise((resolve) => {
      const removeListeners = finished(stream, (error) => {
        removeListeners();
        if (error && !this.#isOver(stream, error))
          this.#fail(stream.errored ?? asSocketError(error), stream);
        resolve();
      });
    });
  }

  /** Whether a stream was closed early because we ended it ourselves. */
  #isOver(stream: Duplex, { code }: NodeJS.ErrnoException): boolean {
    const early = stream.errored === null && code === 'ERR_STREAM_PREMATURE_CLOSE';
    return this.#over && early && stream.writableFinished;
  }

  #fail(error: Error, failed: Duplex): void {
    if (this.#first) return;
    this.#first = error;
    // One that has told its error without being destroyed is not to tell it again.
    if (!failed.destroyed) failed.destroy();
    for (const stream of [this.#a, this.#b]) {
      if (!stream.destroyed) this.#cut(stream, error);
    }
  }
}

/** Makes what is written in this turn of the event loop leave in one write. */
function batchWrites(stream: Duplex): void {
  // Streams of this package do that by themselves.
  if (stream instanceof SocketDuplex || stream.writableCorked > 0) return;
  stream.cork();
  process.nextTick(() => {
    stream.uncork();
  });
}

/** Returns an early close with the code that sockets have for it; every other error as it is. */
function asSocketError(error: NodeJS.ErrnoException): Error {
  if (error.code !== 'ERR_STREAM_PREMATURE_CLOSE') return error;
  const happened = 'one of the joined streams was closed before its end';
  return new WsConnError('ECONNRESET', happened, { cause: error });
}

/**
 * Ends a stream whose bytes nobody can take any more: what was written to it leaves, however
 * slowly, and then it is destroyed.
 *
 * A socket is read on meanwhile, and what comes is discarded, until its peer has ended too or sends
 * nothing for 5 s. Closed under unread bytes it would send a reset, and that would destroy what the
 * peer has not read yet. What the kernel holds after the 5 s it still delivers.
 */
function endAndDiscard(stream: Duplex): void {
  if (!stream.writableEnded) stream.end();
  const finish = (): void => {
    if (stream instanceof net.Socket && !stream.readableEnded) discard(stream);
    else stream.destroy();
  };
  if (stream.writableFinished) finish();
  else stream.once('finish', finish);
}

function discard(socket: net.Socket): void {
  const quiet = setTimeout(() => {
    socket.destroy();
  }, SILENCE);
  // It is the socket that may keep the process alive.
  quiet.unref();
  const onData = (): void => {
    quiet.refresh();
  };
  socket.on('data', onData);
  socket.once('end', () => {
    socket.destroy();
  });
  socket.once('close', () => {
    clearTimeout(quiet);
    socket.off('data', onData);
  });
  socket.resume();
}
