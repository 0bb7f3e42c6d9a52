import type net from 'node:net';

import { join, resetSocket, type SocketDuplex } from 'ws-conn-adapter';

import { codeOf } from '../console/explain.ts';
import { GiveUp } from '../tunnel/give-up.ts';
import { TargetError } from './dial-target.ts';

/** How a tunnel has ended. */
export interface Ending {
  /** Which side ended first, or was cut; undefined where there are no two sides. */
  readonly by?: 'client' | 'target' | undefined;
  /** What cut it; undefined where both sides have ended it. */
  readonly error?: unknown;
}

/** How a stream comes to its target, and what its client is told. */
export interface Way {
  /** Dials the target; rejects with a TargetError. */
  dial(nobodyWaits: GiveUp): Promise<net.Socket>;
  /** Tells the client that it is connected, where it is told. */
  connected?(): void;
  /** Ends the stream and tells the client why. */
  fail(error: TargetError): void;
}

/**
 * Forwards a stream to the target over a connection of its own, until both directions have ended
 * and the stream has closed. Never rejects.
 */
export async function forwardToTarget(stream: SocketDuplex, way: Way): Promise<Ending> {
  // Also before they are joined: a client that has nothing to send may end its direction before the
  // target has answered.
  stream.allowHalfOpen = true;
  const clientClosed = new GiveUp();
  const closed = new Promise<void>((resolve) => {
    stream.once('close', resolve);
  });
  stream.once('close', clientClosed.give);
  // join() reports its error; before that there is nobody whom it concerns.
  stream.on('error', clientClosed.give);
  let socket: net.Socket;
  try {
    socket = await way.dial(clientClosed);
  } catch (error) {
    way.fail(
      error instanceof TargetError
        ? error
        : new TargetError('EIO', 'the server failed', 'internal error', error),
    );
    await closed;
    return { by: clientClosed.given ? 'client' : 'target', error };
  }
  let first: Ending['by'];
  let cut: Ending['by'];
  stream.once('end', () => (first ??= 'client'));
  socket.once('end', () => (first ??= 'target'));
  way.connected?.();
  try {
    await join(stream, socket, {
      cut: (left, error) => {
        if (left === socket) {
          cut = 'client';
          resetSocket(socket);
          return;
        }
        cut = 'target';
        const how = `the target cut the connection (${codeOf(error) ?? error.message})`;
        way.fail(new TargetError(codeOf(error) ?? 'ECONNRESET', how, how, error));
      },
    });
  } catch (error) {
    await closed;
    return { by: cut ?? first, error };
  }
  await closed;
  return { by: first };
}
