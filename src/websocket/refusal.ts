import { type ClientRequest, type IncomingMessage, STATUS_CODES } from 'node:http';

import { WsConnError } from '../base/errors.ts';
import { escaped } from './escape.ts';
import { Secrets } from './secrets.ts';

/** Bytes of a body to read at most. */
const LARGEST_BODY = 1_024;
/** Time in ms that a body may take. */
const BODY_TIMEOUT = 1_000;
/** Characters of one field to show. */
const LONGEST_FIELD = 200;

/** What a server has said with its status. Never to be trusted: fit to be shown, and no more. */
interface Said {
  readonly statusCode: number;
  readonly statusMessage: string;
  readonly location: string | undefined;
  readonly retryAfter: string | undefined;
  readonly bodyLine: string | undefined;
}

/** The refusal of one handshake, while its body is read. */
export class RefusalReader {
  readonly #request: ClientRequest;
  readonly #response: IncomingMessage;
  readonly #onRead: (error: WsConnError) => void;
  readonly #timer: NodeJS.Timeout;
  #body = Buffer.alloc(0);
  #done = false;

  /**
   * Reads what the server says beside its status, the first line of a short text at most, and calls
   * `onRead` once, at the latest a second later. Leaves to other listeners what they may read.
   */
  constructor(
    request: ClientRequest,
    response: IncomingMessage,
    onRead: (error: WsConnError) => void,
  ) {
    this.#request = request;
    this.#response = response;
    this.#onRead = onRead;
    this.#timer = setTimeout(this.finish, BODY_TIMEOUT);
    response.on('data', this.#onData);
    response.once('end', this.finish);
    // Also when the connection breaks off, which is no second error: the server has spoken.
    response.once('close', this.finish);
  }

  /** Takes what there is, and reads no more. */
  readonly finish = (): void => {
    if (this.#done) return;
    this.stop();
    this.#onRead(refusalError(this.#said()));
  };

  /** Gives up: `onRead` is not called any more. */
  stop(): void {
    this.#done = true;
    clearTimeout(this.#timer);
    this.#response.off('data', this.#onData);
    this.#response.off('end', this.finish);
    this.#response.off('close', this.finish);
  }

  readonly #onData = (chunk: Buffer | string): void => {
    // A listener of the user may have set an encoding.
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    this.#body = Buffer.concat([this.#body, bytes.subarray(0, LARGEST_BODY - this.#body.length)]);
    const text = this.#body.toString('latin1').trimStart();
    if (this.#body.length >= LARGEST_BODY || text.includes('\n')) this.finish();
  };

  #said(): Said {
    const { headers, statusCode = 0, statusMessage = '' } = this.#response;
    const secrets = new Secrets(this.#request);
    const clean = (text: string): string => secrets.mask(shortened(text));
    const line = firstLine(this.#body, headers);
    const location = readLocation(headers.location, this.#request);
    return {
      statusCode,
      statusMessage: clean(Buffer.from(statusMessage, 'latin1').toString()),
      location: location === undefined ? undefined : clean(location),
      retryAfter: readRetryAfter(headers['retry-after']),
      bodyLine: line === undefined ? undefined : clean(line),
    };
  }
}

/**
 * Reads what a server says that has answered a handshake with a status: for the listener of ws's
 * 'unexpected-response'. Resolves within a second; the request is the caller's to end.
 */
export function readRefusal(
  request: ClientRequest,
  response: IncomingMessage,
): Promise<WsConnError> {
  return new Promise((resolve) => {
    new RefusalReader(request, response, resolve);
  });
}

function refusalError(said: Said): WsConnError {
  const { statusCode, statusMessage, location, retryAfter, bodyLine } = said;
  const usual = STATUS_CODES[statusCode];
  const reason = statusMessage === usual ? usual : quoted(statusMessage);
  const status = `the server answered with HTTP status ${String(statusCode)}`;
  const parts = [statusMessage === '' ? status : `${status} ${reason}`];
  if (location !== undefined) parts.push(`Location: ${location}`);
  if (retryAfter !== undefined) parts.push(`Retry-After: ${retryAfter}`);
  if (bodyLine !== undefined && bodyLine !== statusMessage && bodyLine !== usual) {
    parts.push(`it says ${quoted(bodyLine)}`);
  }
  return new WsConnError('ECONNREFUSED', parts.join('; '), {
    statusCode,
    statusMessage,
    ...(location === undefined ? {} : { location }),
    ...(retryAfter === undefined ? {} : { retryAfter }),
    ...(bodyLine === undefined ? {} : { bodyLine }),
  });
}

/** So that it looks like no other part of the message. */
function quoted(text: string): string {
  return `"${text.replaceAll('"', "'")}"`;
}

function shortened(text: string): string {
  const line = text.length > LONGEST_FIELD ? `${text.slice(0, LONGEST_FIELD)}…` : text;
  return escaped(line);
}

/** The first line of a text that says something; markup and what is compressed do not. */
function firstLine(body: Buffer, headers: IncomingMessage['headers']): string | undefined {
  if ((headers['content-encoding'] ?? 'identity') !== 'identity') return undefined;
  const [line = ''] = body
    .toString()
    .trimStart()
    .split(/[\r\n]/, 1);
  // The limit may have cut a character.
  const text = line.replace(/\ufffd+$/, '').trimEnd();
  return text === '' || text.startsWith('<') || text.includes('\ufffd') ? undefined : text;
}

/** Scheme, host and path: user, password, query and fragment may hold secrets. */
function readLocation(location: string | undefined, request: ClientRequest): string | undefined {
  if (location === undefined) return undefined;
  const scheme = request.protocol === 'https:' ? 'https' : 'http';
  const base = `${scheme}://${String(request.getHeader('host') ?? request.host)}${request.path}`;
  if (!URL.canParse(base) || !URL.canParse(location, base)) return undefined;
  const { protocol, host, pathname } = new URL(location, base);
  return /^(?:https?|wss?):$/.test(protocol) ? `${protocol}//${host}${pathname}` : undefined;
}

/** Seconds, or a date as HTTP writes it (RFC 9110, section 10.2.3). */
function readRetryAfter(value: string | undefined): string | undefined {
  if (value === undefined) return undefined;
  const isDate = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/.test(value);
  return isDate || /^\d{1,10}$/.test(value) ? value : undefined;
}
