import {
  type IncomingMessage,
  type OutgoingHttpHeaders,
  validateHeaderName,
  validateHeaderValue,
} from 'node:http';

import { invalidArgType, WsConnError } from '../base/errors.ts';
import { INTERNAL_ERROR, UNAUTHORIZED, UNAVAILABLE } from './reject-upgrade.ts';

/**
 * How a request is refused: the HTTP status, and headers that go with it (`WWW-Authenticate`,
 * `Retry-After`, …).
 */
export interface Refusal {
  /** 300 to 599. */
  readonly status: number;
  readonly headers?: OutgoingHttpHeaders | undefined;
  /**
   * What the client is told, in one line.
   * @default the name of the status
   */
  readonly text?: string | undefined;
}

/** Who somebody is whose handshake is accepted. */
export interface Accepted {
  /**
   * A name that stays the same, such as a token's or that of a certificate. Who comes back to a
   * connection under another one, or under none, gets 403.
   */
  readonly identity: string;
}

/**
 * Decides on a handshake before it is answered: true accepts it, or who it is; false refuses it
 * with 401. It is called for each WebSocket of a connection that is resumed.
 */
export type Authenticate = (
  request: IncomingMessage,
) => boolean | Refusal | Accepted | Promise<boolean | Refusal | Accepted>;

/** A refusal together with what led to it. */
export interface Rejection extends Refusal {
  readonly cause?: unknown;
}

/**
 * Calls `authenticate` once, and `onAnswer` once, with null to let the request pass. A throw is
 * 500, an answer that does not come within `limit` ms is 503.
 * @returns what withdraws the question: `onAnswer` is not called any more
 */
export function askAuthenticate(
  authenticate: Authenticate,
  request: IncomingMessage,
  limit: number,
  onAnswer: (rejection: Rejection | null, identity?: string) => void,
): () => void {
  let open = true;
  const settle = (rejection: Rejection | null, identity?: string): void => {
    if (!open) return;
    withdraw();
    onAnswer(rejection, identity);
  };
  const timer = setTimeout(() => {
    const cause = new WsConnError(
      'ETIMEDOUT',
      `authenticate() gave no answer within ${String(limit)} ms`,
    );
    settle({ status: UNAVAILABLE, cause });
  }, limit);
  const withdraw = (): void => {
    open = false;
    clearTimeout(timer);
  };
  // On a tick of its own: what a listener throws then must not end up in this promise.
  const settleLater = (rejection: Rejection | null, identity?: string): void => {
    process.nextTick(settle, rejection, identity);
  };
  new Promise<boolean | Refusal | Accepted>((resolve) => {
    resolve(authenticate(request));
  }).then(
    (answer) => {
      settleLater(rejectionFor(answer), isAccepted(answer) ? answer.identity : undefined);
    },
    (cause: unknown) => {
      settleLater({ status: INTERNAL_ERROR, cause });
    },
  );
  return withdraw;
}

/** The answer may be anything: a function that forgets to return one gives undefined. */
function rejectionFor(answer: unknown): Rejection | null {
  if (answer === true || isAccepted(answer)) return null;
  if (answer === false) return { status: UNAUTHORIZED };
  if (isRefusal(answer)) return checkHeaders(answer);
  const cause = invalidArgType(
    'answer of authenticate()',
    'a boolean, {identity: string} or {status: 300 to 599, headers}',
    answer,
  );
  return { status: INTERNAL_ERROR, cause };
}

/**
 * What Node's HTTP server would not send, such as a line break, is not sent here: it could be read
 * as headers of its own.
 */
function checkHeaders(refusal: Refusal): Rejection {
  try {
    for (const [name, value] of Object.entries(refusal.headers ?? {})) {
      validateHeaderName(name);
      for (const one of Array.isArray(value) ? value : [value]) {
        if (one !== undefined) validateHeaderValue(name, String(one));
      }
    }
    return refusal;
  } catch (cause) {
    return { status: INTERNAL_ERROR, cause };
  }
}

function isAccepted(answer: unknown): answer is Accepted {
  return (
    typeof answer === 'object' &&
    answer !== null &&
    !('status' in answer) &&
    'identity' in answer &&
    typeof answer.identity === 'string'
  );
}

function isRefusal(answer: unknown): answer is Refusal {
  if (typeof answer !== 'object' || answer === null || !('status' in answer)) return false;
  const { status } = answer;
  return typeof status === 'number' && Number.isInteger(status) && status >= 300 && status <= 599;
}
