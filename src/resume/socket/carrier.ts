import type { IncomingHttpHeaders } from 'node:http';

import type { RawData, WebSocket } from 'ws';

import type { WsConnError } from '../../base/errors.ts';
import type { ClosedWebSocket } from '../../adapter/link/connection-errors.ts';
import type { LinkSettings } from '../../adapter/link/link-events.ts';
import { Link } from '../../adapter/link/link.ts';
import { NORMAL_CLOSURE } from '../../websocket/close-codes.ts';
import type { Carrier } from '../session/session-host.ts';

/** Who has a WebSocket now: first the handshake, then the session. */
export interface CarrierOwner {
  readonly onUpgrade?: (headers: IncomingHttpHeaders) => void;
  readonly onOpen?: () => void;
  readonly onRefusal?: (error: WsConnError, headers: IncomingHttpHeaders) => void;
  readonly onMessage: (bytes: Buffer, isBinary: boolean) => void;
  readonly onError: (error: Error) => void;
  /** Exactly once, and nothing after it. */
  readonly onClose: (closed: ClosedWebSocket) => void;
}

/** One of the WebSockets that carry a session. */
export class WebSocketCarrier implements Carrier {
  readonly ws: WebSocket;
  readonly link: Link;
  #owner: CarrierOwner;

  constructor(ws: WebSocket, settings: LinkSettings, owner: CarrierOwner) {
    this.ws = ws;
    this.#owner = owner;
    this.link = new Link(ws, settings, {
      onUpgrade: (headers) => this.#owner.onUpgrade?.(headers),
      onOpen: () => this.#owner.onOpen?.(),
      onRefusal: (error, headers) => this.#owner.onRefusal?.(error, headers),
      onMessage: (data: RawData, isBinary) => {
        // takeWebSocket() has set binaryType to 'nodebuffer', so this is what ws gives.
        this.#owner.onMessage(data as Buffer, isBinary);
      },
      onTooMuch: () => {
        // What ws holds of the message is given back; the session goes on over another WebSocket.
        this.link.terminate();
      },
      onError: (error) => {
        this.#owner.onError(error);
      },
      onClose: (closed) => {
        this.#owner.onClose(closed);
      },
    });
  }

  get queued(): number {
    return this.ws.bufferedAmount;
  }

  /** Ends it in order; its peer has `closeTimeout` ms for that. */
  retire(closeTimeout: number): void {
    this.link.sendClose(NORMAL_CLOSURE);
    this.link.limit(closeTimeout, () => {
      this.link.terminate();
    });
  }

  /** Reports to somebody else from now on. */
  passTo(owner: CarrierOwner): void {
    this.#owner = owner;
  }

  send(message: Buffer, whenTaken?: () => void): void {
    this.ws.send(message, (error) => {
      // With an error the WebSocket closes, and what was sent is sent again over the next one.
      if (!error) whenTaken?.();
    });
  }
}
