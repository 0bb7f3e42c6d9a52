import type { ResumeOptions } from 'ws-conn-adapter';

import type { Admission } from '../../admit/admission.ts';
import type { Log } from '../../log/log.ts';
import type { TargetDialer } from './target-dialer.ts';

export interface TunnelServerOptions {
  readonly admission: Admission;
  /** Dials the targets of those that were let in. */
  readonly dialer: TargetDialer;
  /** Origins of pages that get in. */
  readonly origins: readonly string[];
  /** Subprotocols that it answers to beside its own. */
  readonly protocols: readonly string[];
  readonly maxConnections?: number | undefined;
  /** Streams that one multiplexer may have open at once. */
  readonly maxStreams: number;
  /** Bytes of the largest message to take. */
  readonly maxPayload?: number | undefined;
  /** Time in ms between pings; 0 for none. */
  readonly keepalive: number;
  /** How connections outlive their WebSockets; false where they do not. */
  readonly resume: ResumeOptions | false;
  /** Which of how many workers it belongs to, where it is one of several processes. */
  readonly worker?: { readonly number: number; readonly count: number } | undefined;
  readonly log: Log;
}

/** What may change while it runs; it counts for new connections. */
export type TunnelServerSettings = Pick<
  TunnelServerOptions,
  'keepalive' | 'maxConnections' | 'maxStreams' | 'protocols'
>;
