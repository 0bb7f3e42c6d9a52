import { WebSocket } from 'ws';

import { invalidArgType, invalidState } from '../../base/errors.ts';
import { rawSocket, type RawSocket } from '../../websocket/raw-socket.ts';
import { LINK, type Linked } from './linked.ts';

/** What the adapter needs of a WebSocket, and versions or imitations of ws may lack. */
const NEEDED = [
  'on',
  'prependListener',
  'send',
  'ping',
  'pong',
  'close',
  'terminate',
  'pause',
  'resume',
] as const;

/** The oldest version of ws that has all of it. */
const OLDEST = '8.3';

/**
 * Takes a WebSocket for one adapter, and has it give what arrives as Buffers.
 * @throws `ERR_INVALID_ARG_TYPE` for what is no WebSocket of ws 8.3 or newer, such as a browser's;
 * `ERR_INVALID_STATE` for one that has an adapter, is closing or closed
 */
export function takeWebSocket(ws: WebSocket): void {
  const missing = missingIn(ws);
  if (missing.length > 0) throw unfit(ws, missing.join(', '));
  // Two adapters on one would each get half of the bytes.
  if (LINK in ws) throw invalidState('this WebSocket has an adapter already');
  if (ws.readyState !== ws.CONNECTING && ws.readyState !== ws.OPEN) {
    throw invalidState('this WebSocket is closing or closed');
  }
  if (ws.readyState === ws.OPEN) checkSocket(ws);
  (ws as Linked)[LINK] = null;
  ws.binaryType = 'nodebuffer';
}

/** Names what a WebSocket lacks; one of the version of ws that this package has lacks nothing. */
function missingIn(ws: WebSocket): string[] {
  if (ws instanceof WebSocket) return [];
  const given = (ws as Partial<WebSocket> | null | undefined) ?? {};
  const missing: string[] = NEEDED.filter((name) => typeof given[name] !== 'function');
  if (missing.length === 0 && typeof given.isPaused !== 'boolean') missing.push('isPaused');
  return missing;
}

/**
 * Checks that an open WebSocket has a socket below that can be watched and ended.
 * @throws `ERR_INVALID_ARG_TYPE`
 */
export function checkSocket(ws: WebSocket): void {
  const raw = rawSocket(ws) as Partial<RawSocket> | null | undefined;
  if (typeof raw?.on !== 'function' || typeof raw.end !== 'function')
    throw unfit(ws, 'a socket below');
}

function unfit(ws: unknown, missing: string): TypeError {
  return invalidArgType(
    'ws',
    `a WebSocket of the package ws, ${OLDEST} or newer; it lacks ${missing}`,
    ws,
  );
}
