import type { WsConnSocket } from 'ws-conn-adapter';
import type { YamuxStream } from 'ws-conn-adapter/yamux';

import type { Ending } from '../../target/forward-to-target.ts';
import { Mux } from '../../tunnel/mux.ts';

/** A multiplexer at work. */
export interface ServedMux {
  /** Resolves when its session has ended. */
  readonly ended: Promise<Ending>;
  /** Accepts no new streams, and ends with the last that is open. */
  readonly retire: () => void;
}

/**
 * Accepts the streams of a multiplexed WebSocket.
 * @param maxStreams - the most that may be open at once
 * @param accept - is called with each
 */
export function serveMux(
  adapter: WsConnSocket,
  maxStreams: number,
  accept: (stream: YamuxStream) => void,
): ServedMux {
  const mux = new Mux(adapter, { role: 'server', maxStreams });
  mux.onStream(accept);
  const ended = mux.closed.then((error) => (error ? { by: 'client' as const, error } : {}));
  return {
    ended,
    retire: () => {
      mux.retire();
    },
  };
}
