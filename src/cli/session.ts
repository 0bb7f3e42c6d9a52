import { once } from 'node:events';

import type { WsConnAdapter } from '../adapter.ts';
import { join } from '../join.ts';

import { codeOf } from './error-code.ts';
import type { HostPort } from './host-port.ts';
import { dialTarget, TargetError } from './target.ts';

/** Bad gateway: what lies behind the server failed (the IANA registry of WebSocket close codes). */
const BAD_GATEWAY = 1014;

/**
 * Joins one WebSocket with a TCP connection of its own to the target, until both directions are done.
 * @throws what broke it off; the client was told already
 */
export async function serveSession(adapter: WsConnAdapter, target: HostPort): Promise<void> {
  const gone = new AbortController();
  const leave = (): void => {
    gone.abort();
  };
  adapter.once('close', leave);
  // The error is the join's to report, or of no interest where there is nothing to join yet.
  adapter.on('error', leave);
  let socket;
  try {
    socket = await dialTarget(target, gone.signal);
  } catch (error) {
    if (gone.signal.aborted) throw adapter.errored ?? error;
    if (error instanceof TargetError) await adapter.close(BAD_GATEWAY, error.reason);
    throw error;
  }
  // A closed WebSocket takes no answer any more: a target that has got everything and lingers would linger for nobody.
  adapter.ws.once('close', () => {
    if (!adapter.errored) socket.destroySoon();
  });
  try {
    await join(adapter, socket, {
      cut: (stream, error) => {
        if (stream === socket) socket.resetAndDestroy();
        else void adapter.close(BAD_GATEWAY, `the target broke off (${codeOf(error) ?? error.message})`);
      },
    });
  } catch (error) {
    if (adapter.errored ?? socket.errored ?? !adapter.readableEnded) throw error;
  }
  if (!adapter.closed) await once(adapter, 'close');
}
