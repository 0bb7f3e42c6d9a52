import type net from 'node:net';

import type { WsConnAdapter } from '../adapter.ts';
import { join } from '../join.ts';
import type { SocketDuplex } from '../socket-duplex.ts';

import { codeOf } from './error-code.ts';
import type { HostPort } from './host-port.ts';
import { dialTarget, TargetError } from './target.ts';

/** Bad gateway: what lies behind the server failed (the IANA registry of WebSocket close codes). */
const BAD_GATEWAY = 1014;

/**
 * Joins one WebSocket with a TCP connection of its own to the target, until both directions are done.
 * @throws what broke it off; the client was told already
 */
export async function serveAdapter(adapter: WsConnAdapter, target: HostPort): Promise<void> {
  // From a closed WebSocket nothing comes, and it takes no answer: a target that lingers would linger for nobody.
  const wholeClose = new AbortController();
  adapter.ws.once('close', () => {
    wholeClose.abort();
  });
  await leadToTarget(adapter, target, wholeClose.signal, (reason) => {
    void adapter.close(BAD_GATEWAY, reason);
  });
}

/**
 * Joins a stream with a TCP connection of its own to the target, until both directions are done and the stream has closed.
 * @param done - fires when the target should end once it has got everything
 * @param breakOff - ends the stream and tells the client why
 * @throws what broke it off
 */
export async function leadToTarget(
  stream: SocketDuplex,
  target: HostPort,
  done: AbortSignal,
  breakOff: (reason: string) => void,
): Promise<void> {
  // Until they are joined, too: a client that has nothing to say may end its half before the target has answered.
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
  const finish = (): void => {
    if (!stream.errored) socket.destroySoon();
  };
  done.addEventListener('abort', finish);
  if (done.aborted) finish();
  try {
    await join(stream, socket, {
      cut: (left, error) => {
        if (left === socket) socket.resetAndDestroy();
        else breakOff(`the target broke off (${codeOf(error) ?? error.message})`);
      },
    });
  } catch (error) {
    // A target that was ended because nobody could hear it any more is no failure.
    if (!done.aborted || stream.errored || socket.errored) throw error;
  }
  await closed;
}
