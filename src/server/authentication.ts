import {
  type IncomingMessage,
  type OutgoingHttpHeaders,
  validateHeaderName,
  validateHeaderValue,
} from 'node:http';

import { invalidArgType, WsConnError } from '../base/errors.ts';

/**
 * How a request is refused: the HTTP status, and headers that go with it (`WWW-Authenticate`,
 * `Retry-After`, …).
 */
export interface Refusal {
  /** 300 to 599. */
  readonly status: number;
  readonly headers?: OutgoingHttpHeaders | undefined;
}

/** Decides over a handshake before it is answered: true lets it pass, false refuses it with 401. */
export type Authenticate = (
  request: IncomingMessage,
) => boolean | Refusal | Promise<boolean | Refusal>;

/** A refusal and what led to it. */
export interface Verdict extends Refusal {
  readonly cause?: unknown;
}

const UNAUTHORIZED = 401;
const INTERNAL_ERROR = 500;
const UNAVAILABLE = 503;

/**
 * Asks once, within a time limit, and calls `decide` exactly once, with null to let the request
 * pass; never when the returned function was called before, which takes the question back. A throw
 * is 500, an answer that comes too late 503.
 */
export function ask(
  authenticate: Authenticate,
  request: IncomingMessage,
  limit: number,
  decide: (verdict: Verdict | null) => void,
): () => void {
  let open = true;
  const settle = (verdict: Verdict | null): void => {
    if (!open) return;
    close();
    decide(verdict);
  };
  const timer = setTimeout(() => {
    const cause = new WsConnError(
      'ETIMEDOUT',
      `authenticate() gave no answer within ${String(limit)} ms`,
    );
    settle({ status: UNAVAILABLE, cause });
  }, limit);
  const close = (): void => {
    open = false;
    clearTimeout(timer);
  };
  // On a tick of its own: what a listener throws then must not end up in this promise.
  const settleLater = (verdict: Verdict | null): void => {
    process.nextTick(settle, verdict);
  };
  new Promise<boolean | Refusal>((resolve) => {
    resolve(authenticate(request));
  }).then(
    (answer) => {
      settleLater(judge(answer));
    },
    (cause: unknown) => {
      settleLater({ status: INTERNAL_ERROR, cause });
    },
  );
  return close;
}

/** The answer may be anything: a function that forgets to return one gives undefined. */
function judge(answer: unknown): Verdict | null {
  if (answer === true) return null;
  if (answer === false) return { status: UNAUTHORIZED };
  if (isRefusal(answer)) return checkHeaders(answer);
  const cause = invalidArgType(
    'answer of authenticate()',
    'a boolean or {status: 300 to 599, headers}',
    answer,
  );
  return { status: INTERNAL_ERROR, cause };
}

/**
 * What Node's HTTP server would not send, such as a line break, is not sent here: it could be read
 * as headers of its own.
 */
function checkHeaders(refusal: Refusal): Verdict {
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

function isRefusal(answer: unknown): answer is Refusal {
  if (typeof answer !== 'object' || answer === null || !('status' in answer)) return false;
  const { status } = answer;
  return typeof status === 'number' && Number.isInteger(status) && status >= 300 && status <= 599;
}
