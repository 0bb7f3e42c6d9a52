import type { IncomingHttpHeaders } from 'node:http';

import type { WebSocket } from 'ws';

import {
  handshakeError,
  handshakeTimeoutError,
  type ClosedWebSocket,
} from '../../adapter/link/connection-errors.ts';
import { takeWebSocket } from '../../adapter/link/take-websocket.ts';
import type { AdapterSettings } from '../../adapter/options.ts';
import { WebSocketCarrier } from '../socket/carrier.ts';
import { lossError } from '../socket/resume-errors.ts';
import { readRefusalReason, RESUME_HEADER, type RefusalReason } from '../wire/resume-header.ts';

/** How a try to come back ends: exactly one of them is called, once. */
export interface AttemptEvents<Answer> {
  /** The server has accepted, with that answer. */
  readonly onAccepted: (carrier: WebSocketCarrier, answer: Answer) => void;
  /** The server will never accept: it says why, or who is there does not resume (null). */
  readonly onRefused: (reason: RefusalReason | null, error: Error) => void;
  /** It may work another time. */
  readonly onFailed: (error: Error) => void;
}

/** Statuses by which a server says that it does not want this client. */
const FINAL_STATUSES = new Set([401, 403]);

const HEADER = RESUME_HEADER.toLowerCase();

/** One try to come back to a session: a WebSocket up to the answer of its handshake. */
export class Attempt<Answer> {
  readonly #carrier: WebSocketCarrier;
  readonly #read: (header: string | string[] | undefined) => Answer | null;
  readonly #events: AttemptEvents<Answer>;
  #answer: Answer | null = null;
  #error: Error | null = null;
  #done = false;

  /** @param read - reads the answer in the header of a server that accepts; null if it is none */
  constructor(
    ws: WebSocket,
    settings: AdapterSettings,
    read: (header: string | string[] | undefined) => Answer | null,
    events: AttemptEvents<Answer>,
  ) {
    this.#read = read;
    this.#events = events;
    takeWebSocket(ws);
    this.#carrier = new WebSocketCarrier(ws, settings, {
      onUpgrade: (headers) => {
        this.#answer = this.#read(headers[HEADER]);
      },
      onOpen: () => {
        this.#onOpen();
      },
      onRefusal: (error, headers) => {
        this.#onRefusal(error, headers);
      },
      onMessage: () => undefined,
      onError: (error) => {
        this.#error = handshakeError(error, ws.url);
      },
      onClose: (closed) => {
        this.#onClose(closed);
      },
    });
    const { handshakeTimeout } = settings;
    if (handshakeTimeout < Infinity) {
      this.#carrier.link.limit(handshakeTimeout, () => {
        this.#error = handshakeTimeoutError(ws.url, handshakeTimeout);
        this.#carrier.link.terminate();
      });
    }
  }

  /** Gives up; none of the events comes. */
  stop(): void {
    this.#done = true;
    this.#carrier.link.terminate();
  }

  setReferenced(referenced: boolean): void {
    this.#carrier.link.setReferenced(referenced);
  }

  #onOpen(): void {
    if (this.#done) return;
    this.#done = true;
    if (this.#answer) {
      this.#events.onAccepted(this.#carrier, this.#answer);
      return;
    }
    this.#carrier.link.terminate();
    this.#events.onRefused(null, new Error('the server has not answered to WsConn-Resume'));
  }

  #onRefusal(error: Error & { readonly statusCode?: number }, headers: IncomingHttpHeaders): void {
    if (this.#done) return;
    this.#done = true;
    const reason = error.statusCode === 410 ? readRefusalReason(headers[HEADER]) : null;
    if (reason || FINAL_STATUSES.has(error.statusCode ?? 0)) this.#events.onRefused(reason, error);
    else this.#events.onFailed(error);
  }

  #onClose(closed: ClosedWebSocket): void {
    if (this.#done) return;
    this.#done = true;
    this.#events.onFailed(this.#error ?? lossError(closed));
  }
}
