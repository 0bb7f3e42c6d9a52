import type { IncomingMessage } from 'node:http';

import type { WebSocket } from 'ws';

import type { AdapterSettings } from '../adapter/options.ts';
import { WsConnError } from '../base/errors.ts';
import { Rejoins } from '../resume/server/rejoins.ts';
import { ServerStart } from '../resume/server/server-start.ts';
import { type Entry, SessionTable } from '../resume/server/session-table.ts';
import { ResumableSocket } from '../resume/socket/resumable-socket.ts';
import type { ResumeSettings } from '../resume/socket/resume-options.ts';
import {
  formatAccept,
  formatGrant,
  formatRefusal,
  type NewRequest,
  readRequest,
  type RefusalReason,
  RESUME_HEADER,
  type ResumeRequest,
} from '../resume/wire/resume-header.ts';
import type { Rejection } from './authentication.ts';
import { FORBIDDEN, GONE } from './reject-upgrade.ts';

/** What becomes of a handshake: who takes its WebSocket, if anybody beside the server, or why not. */
export type Plan =
  | { readonly rejection: Rejection }
  /** Returns the socket of a new connection; null where the WebSocket belongs to another. */
  | { readonly take: (ws: WebSocket, settings: AdapterSettings) => ResumableSocket | null };

const TOLD: Readonly<Record<RefusalReason['reason'], string>> = {
  unbegun: 'the connection has not begun',
  unknown: 'no such connection',
  gone: 'bytes that it asks for are kept no longer',
  unsent: 'it has got more bytes than were sent',
  finished: 'the connection has ended',
  aborted: 'the connection was broken off',
};

/** Lets the connections of a server outlive their WebSockets, where their clients ask for it. */
export class Resumption {
  readonly #table: SessionTable;
  readonly #rejoins = new Rejoins();
  /** What the handshakes are answered with that are accepted now. */
  readonly #answers = new WeakMap<IncomingMessage, string>();

  constructor(settings: ResumeSettings) {
    this.#table = new SessionTable(settings);
  }

  /** WebSockets of clients that have not shown yet that they saw the answer. */
  get pending(): number {
    return this.#rejoins.size;
  }

  /** Whether a request comes back to a connection that is there, and so needs no place of its own. */
  isReturn(request: IncomingMessage): boolean {
    const asked = readAsked(request);
    return asked !== null && 'id' in asked && this.#table.has(asked.id);
  }

  /** Decides on a handshake that may pass otherwise; null where it asks for none of this. */
  plan(request: IncomingMessage, identity: string | undefined): Plan | null {
    const asked = readAsked(request);
    if (!asked) return null;
    return 'id' in asked
      ? this.#planReturn(request, asked, identity)
      : this.#planNew(request, asked, identity);
  }

  /** Returns the headers for the answer to a handshake. */
  readonly answer = (request: IncomingMessage): readonly string[] => {
    const answer = this.#answers.get(request);
    return answer === undefined ? [] : [`${RESUME_HEADER}: ${answer}`];
  };

  /** Ends what has no WebSocket, or is about to come back: the server closes. */
  close(): void {
    this.#rejoins.terminateAll();
    this.#table.close();
  }

  #planNew(request: IncomingMessage, asked: NewRequest, identity: string | undefined): Plan {
    const table = this.#table;
    const { window, holdTime } = table.settings;
    const offer = table.offers.make(identity);
    this.#answers.set(request, formatGrant({ id: offer.id, window, hold: holdTime }));
    return {
      take: (ws, settings) =>
        new ResumableSocket(ws, settings, (host) => new ServerStart(host, table, ws, offer, asked)),
    };
  }

  #planReturn(request: IncomingMessage, asked: ResumeRequest, identity: string | undefined): Plan {
    const claim = this.#table.claim(asked, identity);
    if ('foreign' in claim) {
      const cause = new WsConnError('ECONNREFUSED', 'somebody else has begun that connection');
      return { rejection: { status: FORBIDDEN, cause } };
    }
    if ('refusal' in claim) return { rejection: rejectionOf(claim.refusal) };
    return this.#planRejoin(request, claim.entry);
  }

  #planRejoin(request: IncomingMessage, entry: Entry): Plan {
    this.#answers.set(request, formatAccept(entry.connection.session.progress));
    return {
      take: (ws, settings) => {
        this.#rejoins.add(entry, ws, settings);
        return null;
      },
    };
  }
}

function readAsked(request: IncomingMessage): NewRequest | ResumeRequest | null {
  return readRequest(request.headers[RESUME_HEADER.toLowerCase()]);
}

function rejectionOf(refusal: RefusalReason): Rejection {
  return {
    status: GONE,
    headers: { [RESUME_HEADER]: formatRefusal(refusal) },
    text: TOLD[refusal.reason],
  };
}
