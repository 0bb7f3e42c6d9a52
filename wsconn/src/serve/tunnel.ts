import type { SocketDuplex } from 'ws-conn-adapter';

import { explain } from '../console/explain.ts';
import type { Log } from '../console/log.ts';
import type { Side } from '../target/forward-to-target.ts';

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

/** Logs how a tunnel ends; resolves then. */
export async function logEnd(tunnel: Tunnel, served: Promise<Side | null>): Promise<void> {
  const { name, stream } = tunnel;
  const since = performance.now();
  const ended = (how: string, fields: Readonly<Record<string, string>>, first = ''): void => {
    const seconds = (performance.now() - since) / 1000;
    const { bytesRead: bytesIn, bytesWritten: bytesOut } = stream;
    const bytes = `${String(bytesIn)} bytes in, ${String(bytesOut)} bytes out`;
    tunnel.log.info(`${name} ${how} after ${seconds.toFixed(1)} s: ${bytes}${first}`, {
      ...fields,
      seconds: Math.round(seconds * 1000) / 1000,
      bytesIn,
      bytesOut,
    });
  };
  try {
    const first = await served;
    const text = first === null ? '' : `; the ${first} ended first`;
    ended('ended', { event: 'ended', ...(first && { endedBy: first }) }, text);
  } catch (error) {
    const why = explain(error, 'client');
    ended(`failed (${why})`, { event: 'failed', reason: why });
    tunnel.log.stack(error);
  }
}
