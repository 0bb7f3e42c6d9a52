import type { SocketDuplex } from 'ws-conn-adapter';

import { explain } from '../../console/explain.ts';
import type { Log } from '../../log/log.ts';
import type { Ending } from '../../target/forward-to-target.ts';

/** What a WebSocket or one of its streams is used for. */
export type TunnelKind = 'connection' | 'multiplexer' | 'probe' | 'stream';

/** One connection through the server: a WebSocket, or a stream of one. */
export interface Tunnel {
  readonly kind: TunnelKind;
  /** How lines for people call it, such as `connection 3`. */
  readonly name: string;
  readonly stream: SocketDuplex;
  /** Name of its target, once it is known. */
  target: string | undefined;
  /** Its log, whose entries all carry its id, and its target once that is known. */
  log: Log;
}

/**
 * Logs how a tunnel has ended.
 * @param since - when it was opened, by `performance.now()`
 * @param cutHere - whether this server has cut it
 */
export function logEnding(
  { name, stream, log }: Tunnel,
  { by, error }: Ending,
  { since, cutHere }: { readonly since: number; readonly cutHere: boolean },
): void {
  const seconds = (performance.now() - since) / 1000;
  const { bytesRead: bytesIn, bytesWritten: bytesOut } = stream;
  const bytes = `${String(bytesIn)} bytes in, ${String(bytesOut)} bytes out`;
  const why = error === undefined ? undefined : explain(error, 'client');
  const how = why === undefined ? 'ended' : `failed (${why})`;
  const first = why === undefined && by !== undefined ? `; the ${by} ended first` : '';
  log.info(`${name} ${how} after ${seconds.toFixed(1)} s: ${bytes}${first}`, {
    event: why === undefined ? 'ended' : 'failed',
    endedBy: cutHere && why !== undefined ? 'server' : by,
    reason: why,
    seconds: Math.round(seconds * 1000) / 1000,
    bytesIn,
    bytesOut,
  });
  log.stack(error);
}
