import type { IncomingMessage } from 'node:http';

import { type ServerOptions as WsServerOptions, WebSocketServer } from 'ws';

import { FEATURES_HEADER, HALF_CLOSE, namesHalfClose } from '../websocket/features-header.ts';
import { WS_LIMITS } from '../websocket/ws-limits.ts';

/** Options that ws takes as they are. */
type PassedOn = Pick<
  WsServerOptions,
  | 'autoPong'
  | 'handleProtocols'
  | 'maxBufferedChunks'
  | 'maxFragments'
  | 'maxPayload'
  | 'perMessageDeflate'
>;

export type WebSocketServerSettings = {
  readonly [Option in keyof PassedOn]: PassedOn[Option] | undefined;
} & {
  /** Whether halves are closed; left out, as each client offers. */
  readonly halfClose: boolean | undefined;
  /** Headers for the answer to that request, beside what WebSockets and half close need. */
  readonly answer?: ((request: IncomingMessage) => readonly string[]) | undefined;
};

/**
 * Makes what answers handshakes whose WebSockets get an adapter each; half close is answered to who
 * offers it.
 */
export function makeWebSocketServer({
  halfClose,
  answer,
  ...options
}: WebSocketServerSettings): WebSocketServer {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  const wss = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    ...WS_LIMITS,
    ...Object.fromEntries(given),
  }); // @types/ws does not know all of them.
  wss.on('headers', (headers, request) => {
    if (halfClose ?? namesHalfClose(request.headers)) {
      headers.push(`${FEATURES_HEADER}: ${HALF_CLOSE}`);
    }
    if (answer) headers.push(...answer(request));
  });
  return wss;
}
