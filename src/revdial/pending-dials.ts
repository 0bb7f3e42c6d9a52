import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

import type { ServerOptions as WsServerOptions, WebSocketServer } from 'ws';

import { AdapterSettings, type WsConnAdapterOptions } from '../adapter/options.ts';
import { WsConnAdapter } from '../adapter/adapter.ts';
import { namesHalfClose } from '../websocket/features-header.ts';
import { DEFAULT_MAX_PAYLOAD } from '../websocket/ws-limits.ts';
import { BAD_REQUEST, rejectUpgrade } from '../server/reject-upgrade.ts';
import { makeWebSocketServer } from '../server/websocket-server.ts';
import { parseConnPath, type PickUpIds } from './conn-path.ts';

export interface PickUpOptions extends Omit<
  WsConnAdapterOptions,
  'handshakeTimeout' | 'signal' | 'tcpEndIsEof'
> {
  /**
   * Whether an orderly TCP end without a Close frame ends a connection instead of failing it with
   * `ECONNRESET`. Left out, it does for devices that do not offer this package's half close:
   * ShellHub's close as gorilla/websocket does, without a Close frame. Set it to false where all
   * devices send Close, and are told not to offer half close.
   * @default by device
   */
  readonly tcpEndIsEof?: boolean | undefined;
  /**
   * Bytes of the largest message to take; a larger one fails its connection with `EMSGSIZE`. A Go
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

/** What a dial does with the connection that it waits for. */
type Take = (adapter: WsConnAdapter) => void;

/** Matches the WebSockets that devices dial back with to the dials that wait for them. */
export class PickUps {
  readonly #settings: AdapterSettings;
  /** By hand: true or false; undefined where it depends on the device. */
  readonly #tcpEndIsEof: boolean | undefined;
  readonly #wss: WebSocketServer;
  readonly #expected = new Map<string, { readonly dialer: string; readonly take: Take }>();

  /** @throws `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE` */
  constructor(options: PickUpOptions) {
    this.#settings = new AdapterSettings(options, { maxPayload: DEFAULT_MAX_PAYLOAD });
    this.#tcpEndIsEof = options.tcpEndIsEof;
    const { halfClose, maxPayload } = this.#settings;
    const { perMessageDeflate } = options;
    this.#wss = makeWebSocketServer({ halfClose, maxPayload, perMessageDeflate });
  }

  /** Expects one pick-up with these ids, and hands it to `take`, at most once. */
  expect({ dialer, uuid }: PickUpIds, take: Take): void {
    this.#expected.set(uuid, { dialer, take });
  }

  /** Expects the pick-up no more. */
  forget(uuid: string): void {
    this.#expected.delete(uuid);
  }

  /** Answers a handshake: the one that is expected with a WebSocket, every other with 400. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const ids = parseConnPath(request.url ?? '');
    const expected = ids && this.#expected.get(ids.uuid);
    if (!ids || expected?.dialer !== ids.dialer) {
      rejectUpgrade(socket, BAD_REQUEST);
      return;
    }
    // ws calls back before it returns, or never where it has refused a bad handshake, which leaves
    // the dial waiting.
    this.#wss.handleUpgrade(request, socket, head, (ws) => {
      this.#expected.delete(ids.uuid);
      const speaksClose = namesHalfClose(request.headers);
      const settings = this.#settings.with({
        halfCloseOffered: speaksClose,
        tcpEndIsEof: this.#tcpEndIsEof ?? !speaksClose,
      });
      const adapter = new WsConnAdapter(ws, settings);
      expected.take(adapter);
    });
  }
}
