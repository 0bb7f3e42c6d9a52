import type { WebSocket } from 'ws';

import { invalidArgType, invalidState } from './errors.ts';

/** WebSockets that have their adapter: two on one would each get half of the bytes. */
const claimed = new WeakSet<WebSocket>();

/**
 * Takes a WebSocket for one adapter, and has it give what arrives as Buffers.
 * @throws `ERR_INVALID_ARG_TYPE` for what is no WebSocket of ws, such as a browser's; `ERR_INVALID_STATE` for one that has
 * an adapter, is closing or closed
 */
export function claim(ws: WebSocket): void {
  const { terminate, on } = (ws as Partial<WebSocket> | null | undefined) ?? {};
  if (typeof terminate !== 'function' || typeof on !== 'function') {
    throw invalidArgType('ws', 'a WebSocket of the package ws', ws);
  }
  if (claimed.has(ws)) throw invalidState('this WebSocket has an adapter already');
  if (ws.readyState !== ws.CONNECTING && ws.readyState !== ws.OPEN) {
    throw invalidState('this WebSocket is closing or closed');
  }
  claimed.add(ws);
  ws.binaryType = 'nodebuffer';
}
