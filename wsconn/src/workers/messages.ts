import type { ClientAddress } from '../admit/trusted-proxies.ts';

/** A handshake that another worker is to answer, with the socket that it came by. */
export interface Handover {
  readonly type: 'handover';
  /** Number of the worker that holds the connection. */
  readonly to: number;
  /** The request as it came, and what was read behind it, in base64. */
  readonly bytes: string;
  /** The client that a PROXY header has named. */
  readonly client?: ClientAddress | undefined;
}

/** What the primary process tells a worker. */
export type ToWorker =
  /** Comes with a socket: a client has connected. */
  | { readonly type: 'connection' }
  | Handover
  /** It may have so many connections more. */
  | { readonly type: 'places'; readonly more: number }
  /** It gives back the places that it does not use: once, or all that come free from now on. */
  | { readonly type: 'recall'; readonly further: boolean }
  /** The answer to a failure: time in ms for which its answer waits. */
  | { readonly type: 'delay'; readonly id: number; readonly ms: number }
  | { readonly type: 'figures'; readonly id: number }
  | { readonly type: 'reload' }
  /** New connections get 503. */
  | { readonly type: 'stopping' }
  /** Lets connections finish, and ends. */
  | { readonly type: 'stop' };

/** What a worker tells the primary process. */
export type ToPrimary =
  | { readonly type: 'ready' }
  /** It has so many TCP connections. */
  | { readonly type: 'load'; readonly open: number }
  | Handover
  /** It needs places; an answer follows, which may be none. */
  | { readonly type: 'full' }
  /** It has given back so many. */
  | { readonly type: 'gave'; readonly places: number }
  /** A wrong token came from there. */
  | { readonly type: 'failure'; readonly id: number; readonly address: string }
  /** The answer to 'figures': those of prom-client, as JSON. */
  | { readonly type: 'figures'; readonly id: number; readonly metrics: readonly object[] }
  | { readonly type: 'reloaded' }
  /** It has ended, and had to cut so many connections. */
  | { readonly type: 'stopped'; readonly cut: number };
