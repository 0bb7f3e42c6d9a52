import type { WebSocket } from 'ws';

import { Deadline } from '../../base/deadline.ts';
import { PROTOCOL_ERROR } from '../../websocket/close-codes.ts';
import { WsConnError } from '../../base/errors.ts';
import type { Beginning, Start } from '../socket/resumable-socket.ts';
import type { RoleHost } from '../socket/role.ts';
import { decode, encodeClose } from '../wire/message.ts';
import type { NewRequest } from '../wire/resume-header.ts';
import type { Offer } from './offers.ts';
import { ServerRole } from './server-role.ts';
import type { SessionTable } from './session-table.ts';

/**
 * Payload of the ping whose pong shows, where no HELLO came before it, that the client has not seen
 * our answer.
 */
const QUESTION = Buffer.from('resume?');

/**
 * The server's first WebSocket of a session: the client may not have seen our answer to the
 * handshake, where a middlebox has dropped it. It has if it begins with a HELLO that has the id.
 */
export class ServerStart implements Start {
  /** A client that resumes would take a Close without END for a cut. */
  readonly mattersForEnds = true;
  readonly #host: RoleHost;
  readonly #table: SessionTable;
  readonly #ws: WebSocket;
  readonly #offer: Offer;
  readonly #request: NewRequest;
  #plain: (() => void) | null = null;
  #fail: ((error: WsConnError) => void) | null = null;
  readonly #limit = new Deadline(() => {
    this.#giveUp();
  });

  constructor(
    host: RoleHost,
    table: SessionTable,
    ws: WebSocket,
    offer: Offer,
    request: NewRequest,
  ) {
    this.#host = host;
    this.#table = table;
    this.#ws = ws;
    this.#offer = offer;
    this.#request = request;
    table.offers.open(offer, () => {
      const happened = 'the client has lost this WebSocket at its start, and begins anew';
      host.fail(new WsConnError('ECONNRESET', happened));
      ws.terminate();
    });
  }

  onMessage(bytes: Buffer, isBinary: boolean): Beginning | null {
    this.#table.offers.settle(this.#offer);
    const message = isBinary ? decode(bytes) : '';
    if (typeof message === 'string' || message.type !== 'hello') return null;
    const { hello } = message;
    const { id, identity } = this.#offer;
    if (!hello.id.equals(id)) return null;
    const role = new ServerRole(this.#host, this.#table, id, identity);
    return {
      window: this.#table.settings.window,
      peerWindow: this.#request.window,
      budget: this.#table.budget,
      role,
      begin: (connection, carrier) => {
        role.begin(connection);
        const problem = role.join(carrier, hello);
        if (problem === null) return;
        // The session has not taken the WebSocket: it is told and ended here.
        carrier.send(encodeClose('abort', { code: PROTOCOL_ERROR, reason: problem }));
        carrier.retire(this.#host.settings.closeTimeout);
        connection.end.violated(problem, PROTOCOL_ERROR);
      },
    };
  }

  hurry(plain: () => void, fail: (error: WsConnError) => void): void {
    if (this.#plain) return;
    this.#plain = plain;
    this.#fail = fail;
    this.#ws.on('pong', this.#onPong);
    // An error here is the WebSocket's own, reported by its 'close'.
    this.#ws.ping(QUESTION, undefined, () => undefined);
    const { handshakeTimeout } = this.#host.settings;
    if (handshakeTimeout < Infinity) this.#limit.start(handshakeTimeout);
  }

  stop(): void {
    this.#ws.off('pong', this.#onPong);
    this.#limit.stop();
    // Unless there was an answer.
    this.#table.offers.cut(this.#offer);
  }

  /** It is not guessed: what is no payload for the one may be some for the other. */
  #giveUp(): void {
    const limit = `${String(this.#host.settings.handshakeTimeout)} ms`;
    const happened = `the client did not show within ${limit} whether it resumes`;
    this.#fail?.(new WsConnError('ETIMEDOUT', happened));
  }

  readonly #onPong = (payload: Buffer): void => {
    if (!payload.equals(QUESTION)) return;
    this.#table.offers.settle(this.#offer);
    this.#plain?.();
  };
}
