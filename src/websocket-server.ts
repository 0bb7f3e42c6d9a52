import { type ServerOptions as WsServerOptions, WebSocketServer } from 'ws';

import { MAX_DELAY } from './check-option.ts';
import { agreesOnHalfClose, FEATURES_HEADER, HALF_CLOSE } from './half-close.ts';

/** Options that ws takes as they are. */
type PassedOn = Pick<
  WsServerOptions,
  'autoPong' | 'handleProtocols' | 'maxBufferedChunks' | 'maxFragments' | 'maxPayload' | 'perMessageDeflate'
>;

export type WebSocketServerSetup = { readonly [Option in keyof PassedOn]: PassedOn[Option] | undefined } & {
  /** Whether halves are closed; left out, as each client offers. */
  readonly halfClose: boolean | undefined;
};

/** Makes what answers handshakes whose WebSockets get an adapter each; half close is answered to who offers it. */
export function makeWebSocketServer({ halfClose, ...options }: WebSocketServerSetup): WebSocketServer {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  const wss = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    // Time limits are the adapter's: ws would cut a reader that is slow to get to the end.
    closeTimeout: MAX_DELAY,
    ...Object.fromEntries(given),
  } as WsServerOptions); // @types/ws does not know closeTimeout.
  wss.on('headers', (headers, { headers: offered }) => {
    if (agreesOnHalfClose(halfClose, offered)) headers.push(`${FEATURES_HEADER}: ${HALF_CLOSE}`);
  });
  return wss;
}
