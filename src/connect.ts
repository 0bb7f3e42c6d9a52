import type { ClientRequestArgs, OutgoingHttpHeaders } from 'node:http';
import type { ConnectionOptions } from 'node:tls';

import { type ClientOptions, WebSocket } from 'ws';

import { WsConnAdapter } from './adapter/adapter.ts';
import { AdapterSettings, type WsConnAdapterOptions } from './adapter/options.ts';
import { booleanOption } from './base/check-option.ts';
import { invalidArgValue, invalidUrl } from './base/errors.ts';
import { ClientStart } from './resume/client/client-start.ts';
import { ResumableSocket } from './resume/socket/resumable-socket.ts';
import { resumeOption, type ResumeOptions } from './resume/socket/resume-options.ts';
import { MAX_DATA_HEADER } from './resume/wire/message.ts';
import { formatNewRequest, RESUME_HEADER } from './resume/wire/resume-header.ts';
import { RedirectGuard, redirectHeadersOption } from './redirects.ts';
import { FEATURES_HEADER, HALF_CLOSE } from './websocket/features-header.ts';
import { DEFAULT_MAX_PAYLOAD, WS_LIMITS } from './websocket/ws-limits.ts';

export interface ConnectOptions
  extends
    WsConnAdapterOptions,
    Omit<ClientOptions, 'followRedirects' | 'handshakeTimeout' | 'headers'>,
    Omit<
      ClientRequestArgs,
      | 'agent'
      | 'createConnection'
      | 'family'
      | 'headers'
      | 'host'
      | 'localAddress'
      | 'protocol'
      | 'signal'
      | 'timeout'
    >,
    Pick<ConnectionOptions, 'ALPNProtocols' | 'servername'> {
  /**
   * Time in ms that the whole way to 'connect' may take: name, TCP, TLS and HTTP. Then the error is
   * `ETIMEDOUT`.
   * @default 10000
   */
  readonly handshakeTimeout?: number | undefined;
  /**
   * Headers to send with the handshake request, or a function that gives them: called at each
   * handshake, for tokens that expire.
   */
  readonly headers?: OutgoingHttpHeaders | (() => OutgoingHttpHeaders) | undefined;
  /** Subprotocols to offer, the best first. A server that picks none fails the handshake. */
  readonly protocols?: string | readonly string[] | undefined;
  /**
   * Whether to follow redirects, at most `maxRedirects` of them. What tells who you are stays with
   * the host and port of the URL: a redirect to another, or from TLS to none, gets neither your
   * headers nor user and password, client certificate or TLS session; subprotocols and the offer of
   * half close go along. Refused are a redirect to a unix socket, and one to another host where an
   * `agent` makes the connections and has a client certificate. The server chooses where you
   * connect, your own network included: follow only whom you trust.
   * @default false
   */
  readonly followRedirects?: boolean | undefined;
  /**
   * Names of the headers that every host may see to which redirects lead, such as `User-Agent`.
   * @default none
   */
  readonly redirectHeaders?: readonly string[] | undefined;
  /**
   * Whether to compress messages. Off, because most of what is tunnelled is compressed or encrypted
   * already.
   * @default false
   */
  readonly perMessageDeflate?: ClientOptions['perMessageDeflate'];
  /**
   * Bytes of the largest message to take; a larger one fails the connection with `EMSGSIZE`.
   * @default 1048576
   */
  readonly maxPayload?: number | undefined;
}

export interface ResumableConnectOptions extends ConnectOptions {
  /**
   * Whether the connection is to outlive its WebSocket, and how: where the server grants it, bytes
   * go on over the next WebSocket, each once and in order. A server on another host, to which
   * redirects lead, is not asked.
   * @default false
   */
  readonly resume: boolean | ResumeOptions;
}

const DEFAULT_HANDSHAKE_TIMEOUT = 10_000;

const SCHEMES = new Set(['ws:', 'wss:', 'http:', 'https:', 'ws+unix:']);

function parse(url: string | URL): URL {
  try {
    return new URL(url);
  } catch {
    throw invalidUrl();
  }
}

function checkUrl(url: string | URL): URL {
  const parsed = parse(url);
  if (!SCHEMES.has(parsed.protocol)) {
    throw invalidArgValue(
      'url',
      'must begin with ws:, wss:, http:, https: or ws+unix:',
      parsed.protocol,
    );
  }
  if (parsed.hash !== '') throw invalidArgValue('url', 'must have no fragment', '#***');
  return parsed;
}

/**
 * Opens a WebSocket and returns its adapter at once, still connecting, as `net.connect()` does:
 * what is written before 'connect' is kept, in order. Offers half close to the server, unless the
 * option `halfClose` decides it. Takes the options of the adapter, of ws's client and of
 * `http.request()` (headers, agent, TLS). With the option `resume` it returns a socket that
 * outlives its WebSocket.
 *
 * @throws `ERR_INVALID_URL`, `ERR_INVALID_ARG_VALUE` for a bad url; as the adapter does for its
 * options
 */
export function connect(url: string | URL, options: ResumableConnectOptions): ResumableSocket;
export function connect(url: string | URL, options?: ConnectOptions): WsConnAdapter;
export function connect(
  url: string | URL,
  options: ConnectOptions & Partial<ResumableConnectOptions> = {},
): WsConnAdapter | ResumableSocket {
  const target = checkUrl(url);
  const settings = new AdapterSettings(options, {
    maxPayload: DEFAULT_MAX_PAYLOAD,
    handshakeTimeout: DEFAULT_HANDSHAKE_TIMEOUT,
  });
  const resume = resumeOption(options.resume);
  const protocols = subprotocols(options.protocols);
  const dial = (header?: string): WebSocket =>
    new WebSocket(target, protocols, clientOptions(target, options, settings.maxPayload, header));
  if (!resume) return new WsConnAdapter(dial(), settings);
  const ws = dial(formatNewRequest({ window: resume.window }));
  return new ResumableSocket(ws, settings, (host) => new ClientStart(host, resume, dial));
}

function subprotocols(protocols: ConnectOptions['protocols'] = []): string[] {
  return typeof protocols === 'string' ? [protocols] : [...protocols];
}

/**
 * Leaves to ws and to `http.request()` what is theirs: the adapter's own options mean something
 * else to a TCP socket.
 */
function clientOptions(
  target: URL,
  options: ConnectOptions & Partial<ResumableConnectOptions>,
  maxPayload: number,
  resumeHeader: string | undefined,
): ClientOptions {
  const {
    allowHalfOpen: _allowHalfOpen,
    readableHighWaterMark: _readableHighWaterMark,
    writableHighWaterMark: _writableHighWaterMark,
    signal: _signal,
    keepalive: _keepalive,
    handshakeTimeout: _handshakeTimeout,
    protocols: _protocols,
    resume: _resume,
    headers,
    redirectHeaders,
    ...rest
  } = options;
  const followRedirects = booleanOption('options.followRedirects', options.followRedirects, false);
  redirectHeadersOption(redirectHeaders);
  const offer = options.halfClose === undefined ? { [FEATURES_HEADER]: HALF_CLOSE } : {};
  const resume = resumeHeader === undefined ? {} : { [RESUME_HEADER]: resumeHeader };
  return {
    ...rest,
    // Data has a header in the messages of a connection that is resumed.
    maxPayload: resumeHeader === undefined ? maxPayload : maxPayload + MAX_DATA_HEADER,
    perMessageDeflate: options.perMessageDeflate ?? false,
    headers: { ...offer, ...(typeof headers === 'function' ? headers() : headers), ...resume },
    ...WS_LIMITS,
    followRedirects,
    ...(followRedirects ? new RedirectGuard(target, options).options : {}),
    // @types/ws does not know all of WS_LIMITS, nor that headers may be numbers or lists.
  } as ClientOptions;
}
