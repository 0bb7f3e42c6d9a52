import type net from 'node:net';

import { join, resetSocket, type SocketDuplex } from 'ws-conn-adapter';

import { codeOf } from '../console/explain.ts';
import type { HostPort } from '../console/host-port.ts';
import { dialTarget, TargetError } from './target.ts';

/**
 * Forwards a stream to the target over a TCP connection of its own, until both directions have
 * ended and the stream has closed.
 * @param fail - ends the stream and tells the client why
 * @throws the error that ended it
 */
export async function forwardToTarget(
  stream: SocketDuplex,
  target: HostPort,
  fail: (reason: string) => void,
): Promise<void> {
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
    socket = await dialTarget(target, clientClosed.signal);
  } catch (error) {
    fail(error instanceof TargetError ? error.reason : 'internal error');
    await closed;
    throw error;
  }
  await join(stream, socket, {
    cut: (left, error) => {
      if (left === socket) resetSocket(socket);
      else fail(`the target cut the connection (${codeOf(error) ?? error.message})`);
    },
  });
  await closed;
}
