import type { IncomingMessage } from 'node:http';

import type { WsConnServerEvents } from 'ws-conn-adapter';

import type { Admission } from '../../admit/admission.ts';
import { clientOf, showAddress, showClient } from '../../admit/client-address.ts';
import { LimitedLog } from '../../admit/limited-log.ts';
import { FORBIDDEN, NOT_FOUND, TOO_MANY_REQUESTS, UNAUTHORIZED } from '../../console/codes.ts';
import { quoted } from '../../console/escape.ts';
import { explain } from '../../console/explain.ts';
import { showHostPort } from '../../console/place.ts';
import type { Log } from '../../log/log.ts';

/** Who was dropped. */
type Dropped = WsConnServerEvents['drop'][0];

/** Logs who was not let in, and why. */
export class RefusalLog {
  readonly #log: Log;
  readonly #admission: Admission;
  /** For what costs a client nothing. */
  readonly #putOffs: LimitedLog;
  readonly #drops: LimitedLog;

  constructor(log: Log, admission: Admission) {
    this.#log = log;
    this.#admission = admission;
    this.#putOffs = new LimitedLog(log, 'refusals with 429');
    this.#drops = new LimitedLog(log, 'dropped connections');
  }

  /** A handshake was refused with an HTTP status. */
  refused(request: IncomingMessage, status: number, cause: unknown): void {
    this.#add(request, status, whyRefused(request, status, cause));
  }

  /** A client hung up before it was told that its token is wrong. */
  hungUp(request: IncomingMessage): void {
    this.#add(request, UNAUTHORIZED, ', but it hung up first');
  }

  /** A connection without a request gave way to another. */
  dropped({ remoteAddress: host, remotePort: port = 0 }: Dropped): void {
    const from = host === undefined ? 'a unix socket' : showHostPort({ host, port });
    this.#drops.info(`dropped ${from}: too many connections wait without a request`, {
      event: 'dropped',
      from,
    });
  }

  #add(request: IncomingMessage, status: number, why: string): void {
    const reason = this.#admission.reasonOf(request);
    const log = status === TOO_MANY_REQUESTS ? this.#putOffs : this.#log;
    const text = `refused ${showClient(request)} with ${String(status)}`;
    log.info(text + (reason === undefined ? '' : `: ${reason}`) + why, {
      event: 'refused',
      status,
      from: showAddress(clientOf(request)),
      path: pathOf(request),
      ...(reason !== undefined && { reason }),
    });
  }
}

function whyRefused(request: IncomingMessage, status: number, cause: unknown): string {
  const { origin } = request.headers;
  if (status === FORBIDDEN && origin !== undefined) {
    return `: --allow-origin does not list the Origin ${quoted(origin)}`;
  }
  if (status === NOT_FOUND) return `: there is nothing at ${quoted(pathOf(request))}`;
  return cause === undefined ? '' : ` (${explain(cause)})`;
}

/** The path that was asked for, without its query, which may hold a secret. */
export function pathOf({ url = '/' }: IncomingMessage): string {
  return url.split('?', 1)[0] ?? '/';
}
