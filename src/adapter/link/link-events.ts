import type { IncomingHttpHeaders } from 'node:http';

import type { RawData } from 'ws';

import type { WsConnError } from '../../base/errors.ts';
import type { UnfinishedBytes } from '../../websocket/unfinished-bytes.ts';
import type { ClosedWebSocket } from './connection-errors.ts';

export interface LinkSettings {
  /** Time in ms that the peer has to end TCP once it has sent Close. */
  readonly closeTimeout: number;
  /** Where unfinished messages are counted. */
  readonly unfinished: UnfinishedBytes | undefined;
  /** Whether `onPong` is to be called. */
  readonly halfCloseOffered?: boolean;
}

/** What a link reports. `onClose` comes exactly once, and nothing after it. */
export interface LinkEvents {
  onOpen(): void;
  /** A server has accepted the handshake, with these headers; before `onOpen`. */
  onUpgrade(headers: IncomingHttpHeaders): void;
  /** The server answered the handshake with an HTTP status; nothing but `onClose` follows. */
  onRefusal(error: WsConnError, headers: IncomingHttpHeaders): void;
  onMessage(data: RawData, isBinary: boolean): void;
  onPong?(payload: Buffer): void;
  /** So many bytes of an unfinished message are too much for what the server may hold. */
  onTooMuch(bytes: number): void;
  onError(error: Error): void;
  onClose(closed: ClosedWebSocket): void;
}
