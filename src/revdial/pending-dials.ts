import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

import type { ServerOptions as WsServerOptions, WebSocketServer } from 'ws';

import { WsConnAdapter } from '../adapter/adapter.ts';
import { AdapterSettings, type WsConnAdapterOptions } from '../adapter/options.ts';
import { originsOption, rejectionOfOrigin } from '../server/origins.ts';
import { BAD_REQUEST, rejectUpgrade } from '../server/reject-upgrade.ts';
import { makeWebSocketServer } from '../server/websocket-server.ts';
import { namesHalfClose } from '../websocket/features-header.ts';
import { DEFAULT_MAX_PAYLOAD } from '../websocket/ws-limits.ts';
import { parseConnPath, type DialIds } from './conn-path.ts';

/** Options of the WebSockets that devices dial back with. */
export interface DialBackOptions extends Omit<
  WsConnAdapterOptions,
  'handshakeTimeout' | 'signal' | 'tcpEndIsEof'
> {
  /**
   * Whether an orderly TCP end without a Close frame ends a connection instead of failing it with
   * `ECONNRESET`. By default it does for devices that do not offer this package's half close, since
   * ShellHub's devices end without a Close frame, as gorilla/websocket does. Set it to false where
   * all devices send Close but do not offer half close.
   * @default by device
   */
  readonly tcpEndIsEof?: boolean | undefined;
  /**
   * Origins of pages that may dial back, as for createServer(). Devices are no pages.
   * @default none: a request with an Origin gets 403
   */
  readonly origins?: readonly string[] | undefined;
  /**
   * Bytes of the largest message to accept; a larger one fails its connection with `EMSGSIZE`. A Go
   * device sends one message for each of its writes, however large.
   * @default 1048576
   */
  readonly maxPayload?: number | undefined;
  /**
   * Whether to compress messages, as in ws.
   * @default false
   */
  readonly perMessageDeflate?: WsServerOptions['perMessageDeflate'];
}

/** A dial that waits for its device to dial back. */
interface PendingDial {
  readonly dialer: string;
  readonly onConnection: (adapter: WsConnAdapter) => void;
}

/** Matches the WebSockets that devices dial back with to the dials that wait for them. */
export class PendingDials {
  readonly #settings: AdapterSettings;
  readonly #origins: ReadonlySet<string>;
  /** By hand: true or false; undefined where it depends on the device. */
  readonly #tcpEndIsEof: boolean | undefined;
  readonly #wss: WebSocketServer;
  /** By the uuid of the dial. */
  readonly #dials = new Map<string, PendingDial>();

  /** @throws `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE` */
  constructor(options: DialBackOptions) {
    this.#settings = new AdapterSettings(options, { maxPayload: DEFAULT_MAX_PAYLOAD });
    this.#tcpEndIsEof = options.tcpEndIsEof;
    this.#origins = originsOption(options.origins);
    const { halfClose, maxPayload } = this.#settings;
    const { perMessageDeflate } = options;
    this.#wss = makeWebSocketServer({ halfClose, maxPayload, perMessageDeflate });
  }

  /** Waits for a WebSocket with these ids. Calls `onConnection` with its adapter, at most once. */
  add({ dialer, uuid }: DialIds, onConnection: PendingDial['onConnection']): void {
    this.#dials.set(uuid, { dialer, onConnection });
  }

  /** Stops waiting. A device that dials back afterwards is refused. */
  remove(uuid: string): void {
    this.#dials.delete(uuid);
  }

  /** Answers a handshake: one that a dial waits for with a WebSocket, every other with 400. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const rejection = rejectionOfOrigin(request, this.#origins);
    if (rejection) {
      rejectUpgrade(socket, rejection.status, {}, rejection.text);
      return;
    }
    const ids = parseConnPath(request.url ?? '');
    const dial = ids && this.#dials.get(ids.uuid);
    if (!ids || dial?.dialer !== ids.dialer) {
      rejectUpgrade(socket, BAD_REQUEST);
      return;
    }
    // ws calls back before it returns, or never where it refuses a bad handshake. Then the dial
    // goes on waiting.
    this.#wss.handleUpgrade(request, socket, head, (ws) => {
      this.#dials.delete(ids.uuid);
      const speaksClose = namesHalfClose(request.headers);
      const settings = this.#settings.with({
        halfCloseOffered: speaksClose,
        tcpEndIsEof: this.#tcpEndIsEof ?? !speaksClose,
      });
      dial.onConnection(new WsConnAdapter(ws, settings));
    });
  }
}
