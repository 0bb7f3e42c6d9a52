/**
 * Names what went wrong with a connection, in the errno names that code written for `net.Socket`
 * already looks for.
 *
 * - `ECONNREFUSED`: the server answered the handshake with an HTTP status instead of a WebSocket
 *   (`statusCode` says which; `statusMessage`, `location`, `retryAfter` and `bodyLine` are what else
 *   it said, escaped, and without what the request held), or the device that was asked to dial back said that it cannot.
 * - `ECONNRESET`: the connection ended in a way that may have cut the stream short.
 * - `EMSGSIZE`: the peer sent a message larger than `maxPayload`, or a line over its limit.
 * - `EPIPE`: written bytes can no longer be delivered.
 * - `EPROTO`: the peer broke the protocol.
 * - `EPROTONOSUPPORT`: the two ends have no protocol in common (multistream-select).
 * - `ETIMEDOUT`: something did not happen within its time limit.
 */
export type WsConnErrorCode =
  'ECONNREFUSED' | 'ECONNRESET' | 'EMSGSIZE' | 'EPIPE' | 'EPROTO' | 'EPROTONOSUPPORT' | 'ETIMEDOUT';

const summaries: Readonly<Record<WsConnErrorCode, string>> = {
  ECONNREFUSED: 'The handshake was refused',
  ECONNRESET: 'The connection was cut',
  EMSGSIZE: 'A message was too large',
  EPIPE: 'Written bytes were not delivered',
  EPROTO: 'The peer broke the protocol',
  EPROTONOSUPPORT: 'There is no protocol in common',
  ETIMEDOUT: 'A time limit passed',
};

/** Carries what is known of a failure beside its code. */
export interface WsConnErrorDetails {
  /**
   * Close code that the peer sent (RFC 6455, section 7.4), 1005 for a Close without one, 1006 for
   * no Close at all.
   */
  readonly closeCode?: number;
  /** Reason that came with the Close frame; may be empty. */
  readonly closeReason?: string;
  /** HTTP status that the server answered the handshake with. */
  readonly statusCode?: number;
  /** Reason phrase that came with it; may be empty. */
  readonly statusMessage?: string;
  /**
   * Where the server would have the request go: scheme, host and path. The rest of its `Location`
   * may hold secrets.
   */
  readonly location?: string;
  /** When the server would have another request: seconds, or a date as HTTP writes it. */
  readonly retryAfter?: string;
  /** First line of the body of its answer, where that is a text; cut at 200 characters. */
  readonly bodyLine?: string;
  /** Error that led to this one. */
  readonly cause?: unknown;
}

/**
 * Reports that a connection failed. Look at `code`, never at the message, which is for people: it
 * says what happened and what was at stake.
 */
export class WsConnError extends Error {
  override readonly name = 'WsConnError';
  readonly code: WsConnErrorCode;
  readonly closeCode?: number;
  readonly closeReason?: string;
  readonly statusCode?: number;
  readonly statusMessage?: string;
  readonly location?: string;
  readonly retryAfter?: string;
  readonly bodyLine?: string;

  constructor(code: WsConnErrorCode, happened: string, details: WsConnErrorDetails = {}) {
    super(
      `${summaries[code]}: ${happened} (${code})`,
      details.cause === undefined ? undefined : { cause: details.cause },
    );
    this.code = code;
    if (details.closeCode !== undefined) this.closeCode = details.closeCode;
    if (details.closeReason !== undefined) this.closeReason = details.closeReason;
    if (details.statusCode !== undefined) this.statusCode = details.statusCode;
    if (details.statusMessage !== undefined) this.statusMessage = details.statusMessage;
    if (details.location !== undefined) this.location = details.location;
    if (details.retryAfter !== undefined) this.retryAfter = details.retryAfter;
    if (details.bodyLine !== undefined) this.bodyLine = details.bodyLine;
  }
}

/** Returns the code that Node, ws and this package give their errors; undefined without one. */
export function codeOf(error: unknown): string | undefined {
  const code = (error as { readonly code?: unknown } | null | undefined)?.code;
  return typeof code === 'string' ? code : undefined;
}

type MisuseCode =
  | 'ERR_INVALID_ARG_TYPE'
  | 'ERR_INVALID_ARG_VALUE'
  | 'ERR_INVALID_STATE'
  | 'ERR_INVALID_URL'
  | 'ERR_OUT_OF_RANGE'
  | 'ERR_STREAM_DESTROYED';

function misuse<E extends Error>(error: E, code: MisuseCode): E & { code: MisuseCode } {
  return Object.assign(error, { code });
}

function shown(value: unknown): string {
  if (typeof value === 'string') return `'${value}'`;
  if (typeof value === 'function') return `function ${value.name}`;
  if (typeof value === 'object' && value !== null) {
    const constructor = value.constructor as { readonly name?: string } | undefined;
    return `an instance of ${constructor?.name ?? 'Object'}`;
  }
  return String(value);
}

/**
 * Makes the TypeError that Node throws for an argument or option of the wrong type:
 * `ERR_INVALID_ARG_TYPE`.
 */
export function invalidArgType(name: string, expected: string, actual: unknown): TypeError {
  return misuse(
    new TypeError(`The "${name}" must be ${expected}. Received ${shown(actual)}`),
    'ERR_INVALID_ARG_TYPE',
  );
}

/**
 * Makes the TypeError that Node throws for an argument or option of the right type but no meaning:
 * `ERR_INVALID_ARG_VALUE`.
 */
export function invalidArgValue(name: string, problem: string, actual: unknown): TypeError {
  return misuse(
    new TypeError(`The "${name}" ${problem}. Received ${shown(actual)}`),
    'ERR_INVALID_ARG_VALUE',
  );
}

/**
 * Makes the TypeError that Node throws for a malformed URL, `ERR_INVALID_URL`, but without its
 * `input`: that may hold a password.
 */
export function invalidUrl(): TypeError {
  return misuse(new TypeError('Invalid URL'), 'ERR_INVALID_URL');
}

/** Makes the RangeError that Node throws for a number outside its range: `ERR_OUT_OF_RANGE`. */
export function outOfRange(name: string, range: string, actual: unknown): RangeError {
  return misuse(
    new RangeError(`The "${name}" is out of range. It must be ${range}. Received ${shown(actual)}`),
    'ERR_OUT_OF_RANGE',
  );
}

/**
 * Makes the Error that Node throws for a call that comes at the wrong time: `ERR_INVALID_STATE`.
 */
export function invalidState(problem: string): Error {
  return misuse(new Error(`Invalid state: ${problem}`), 'ERR_INVALID_STATE');
}

/**
 * Makes the Error that Node gives to a call which waited when its stream was destroyed:
 * `ERR_STREAM_DESTROYED`.
 */
export function streamDestroyed(call: string): Error {
  return misuse(
    new Error(`Cannot call ${call} after a stream was destroyed`),
    'ERR_STREAM_DESTROYED',
  );
}

/**
 * Makes the AbortError that Node gives for what a signal has given up, with the signal's reason as
 * `cause`: `ABORT_ERR`.
 */
export function abortError(signal: AbortSignal | undefined): Error & { code: 'ABORT_ERR' } {
  const error = new Error('The operation was aborted', { cause: signal?.reason });
  return Object.assign(error, { name: 'AbortError', code: 'ABORT_ERR' as const });
}

/**
 * Runs what may call the user. An error of a handler must not unwind through what reads frames,
 * which would read no more: it is thrown on a tick of its own, where it is the uncaught exception
 * that it would have been.
 */
export function isolate(action: () => void): void {
  try {
    action();
  } catch (error) {
    process.nextTick(() => {
      throw error;
    });
  }
}
