import type net from 'node:net';

import { join, resetSocket, type SocketDuplex, type WsConnAdapter } from 'ws-conn-adapter';

import { BAD_GATEWAY } from '../console/codes.ts';
import { codeOf } from '../console/error-code.ts';
import type { HostPort } from '../console/host-port.ts';
import { dialTarget, TargetError } from './target.ts';

/**
 * Joins one WebSocket with a TCP connection of its own to the target, until both directions are
 * done.
 * @throws what broke it off; the client was told already
 */
export async function serveAdapter(adapter: WsConnAdapter, target: HostPort): Promise<void> {
  await leadToTarget(adapter, target, (reason) => {
    void adapter.close(BAD_GATEWAY, reason);
  });
}

/**
 * Joins a stream with a TCP connection of its own to the target, until both directions are done and
 * the stream has closed.
 * @param breakOff - ends the stream and tells the client why
 * @throws what broke it off
 */
export async function leadToTarget(
  stream: SocketDuplex,
  target: HostPort,
  breakOff: (reason: string) => void,
): Promise<void> {
  // Until they are joined, too: a client that has nothing to say may end its half before the target
  // has answered.
  stream.allowHalfOpen = true;
  const gone = new AbortController();
  const leave = (): void => {
    gone.abort();
  };
  const closed = new Promise<void>((resolve) => {
    stream.once('close', resolve);
  });
  stream.once('close', leave);
  // Its error is the join's to report, or of no interest before there is anything to join.
  stream.on('error', leave);
  let socket: net.Socket;
  try {
    socket = await dialTarget(target, gone.signal);
  } catch (error) {
    breakOff(error instanceof TargetError ? error.reason : 'internal error');
    await closed;
    throw error;
  }
  await join(stream, socket, {
    cut: (left, error) => {
      if (left === socket) resetSocket(socket);
      else breakOff(`the target broke off (${codeOf(error) ?? error.message})`);
    },
  });
  await closed;
}
