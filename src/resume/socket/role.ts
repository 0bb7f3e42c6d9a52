import type { WebSocket } from 'ws';

import type { AdapterSettings } from '../../adapter/options.ts';
import type { WsConnError } from '../../base/errors.ts';

/** What a role may ask of the socket that it serves. */
export interface RoleHost {
  readonly settings: AdapterSettings;
  /** The WebSocket is gone. */
  onDisconnect(error: WsConnError): void;
  /** There is another one. */
  onReconnect(ms: number): void;
  /** It is over before it has begun. */
  fail(error: WsConnError): void;
  /** It runs over this WebSocket now. */
  onCarrier(ws: WebSocket): void;
}

/** Brings the connection of one session back to life: as its client, or as its server. */
export interface Role {
  /** The WebSocket is gone, and nobody has ended the connection: brings another, or gives up. */
  onLost(error: WsConnError): void;
  /** The stream is being ended while there is no WebSocket: tries at once to bring another. */
  hurry(): void;
  /** Tells the peer that the connection is broken off; calls `done` when that is over. */
  sayAborted(done: () => void): void;
  /** Tells the peer that all of its bytes came; calls `done` when that is over. */
  confirm(done: () => void): void;
  /** Nothing is left to say: no other WebSocket is needed. */
  stop(): void;
  /** Whether what it waits for keeps the process alive. */
  setReferenced(referenced: boolean): void;
}
