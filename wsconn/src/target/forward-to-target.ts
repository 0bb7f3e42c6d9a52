import type net from 'node:net';

import { join, resetSocket, type SocketDuplex } from 'ws-conn-adapter';

import { codeOf } from '../console/explain.ts';
import { TargetError } from './dial-target.ts';

/** Whoever ended a connection first. */
export type Side = 'client' | 'target';

/** How a stream comes to its target, and what its client is told. */
export interface Way {
  /** Dials the target; rejects with a TargetError. */
  dial(signal: AbortSignal): Promise<net.Socket>;
  /** Tells the client that it is connected, where it is told. */
  connected?(): void;
  /** Ends the stream and tells the client why. */
  fail(error: TargetError): void;
}

/**
 * Forwards a stream to the target over a connection of its own, until both directions have ended
 * and the stream has closed. Returns which side ended first.
 * @throws the error that ended it
 */
export async function forwardToTarget(stream: SocketDuplex, way: Way): Promise<Side> {
  // Also before they are joined: a client that has nothing to send may end its direction before the
  // target has answered.
  stream.allowHalfOpen = true;
  const clientClosed = new AbortController();
  const giveUp = (): void => {
    clientClosed.abort();
  };
  const closed = new Promise<void>((resolve) => {
    stream.once('close', resolve);
  });
  stream.once('close', giveUp);
  // join() reports its error; before that there is nobody whom it concerns.
  stream.on('error', giveUp);
  let socket: net.Socket;
  try {
    socket = await way.dial(clientClosed.signal);
  } catch (error) {
    way.fail(
      error instanceof TargetError
        ? error
        : new TargetError('EIO', 'the server failed', 'internal error', error),
    );
    await closed;
    throw error;
  }
  let first: Side | undefined;
  stream.once('end', () => (first ??= 'client'));
  socket.once('end', () => (first ??= 'target'));
  way.connected?.();
  await join(stream, socket, {
    cut: (left, error) => {
      if (left === socket) {
        resetSocket(socket);
        return;
      }
      const how = `the target cut the connection (${codeOf(error) ?? error.message})`;
      way.fail(new TargetError(codeOf(error) ?? 'ECONNRESET', how, how, error));
    },
  });
  await closed;
  return first ?? 'client';
}
