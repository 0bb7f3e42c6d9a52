import type http from 'node:http';

import type { ServerOptions as WsServerOptions } from 'ws';

import { AdapterSettings, type WsConnAdapterOptions } from '../adapter/options.ts';
import { limitOption, timeoutOption } from '../base/check-option.ts';
import { invalidArgType, invalidArgValue } from '../base/errors.ts';
import {
  resumeOption,
  type ResumeOptions,
  type ResumeSettings,
} from '../resume/socket/resume-options.ts';
import { MAX_DATA_HEADER } from '../resume/wire/message.ts';
import { DEFAULT_MAX_PAYLOAD, maxBufferedChunks, maxFragments } from '../websocket/ws-limits.ts';
import { UnfinishedBytes } from '../websocket/unfinished-bytes.ts';
import type { Authenticate } from './authentication.ts';
import { defaultConnectionLimits } from './limits/descriptor-limit.ts';
import { originsOption } from './origins.ts';
import type { WebSocketServerSettings } from './websocket-server.ts';

export interface CreateServerOptions
  extends
    Omit<WsConnAdapterOptions, 'signal'>,
    Pick<
      WsServerOptions,
      'autoPong' | 'handleProtocols' | 'maxBufferedChunks' | 'maxFragments' | 'perMessageDeflate'
    > {
  /**
   * HTTP or HTTPS server whose upgrades to take. Without it, `listen()` makes one, and
   * `handleUpgrade()` needs none.
   */
  readonly server?: http.Server | undefined;
  /**
   * Path that a request must have, without its query; another gets 404. On a given server that
   * others listen to as well, it is left to them.
   * @default any path
   */
  readonly path?: string | undefined;
  /**
   * Origins of the pages that may open a WebSocket here, as browsers send them: `https://example.org`,
   * with the port where it is not the scheme's own; `null` for pages without one; `*` for all. A
   * request with another `Origin` gets 403. Without this, every page that somebody visits could
   * reach a server on his localhost or in his network.
   * @default none: programs only, which send no Origin
   */
  readonly origins?: readonly string[] | undefined;
  /**
   * Decides on each handshake before it is answered. Refused is 401, a throw 500, no answer in
   * time 503.
   * @default all pass
   */
  readonly authenticate?: Authenticate | undefined;
  /**
   * Time in ms that `authenticate` may take.
   * @default 10000
   */
  readonly authenticateTimeout?: number | undefined;
  /**
   * Time in ms in which a client must have sent its request to a server that `listen()` made; then
   * it gets 408.
   * @default 10000
   */
  readonly handshakeTimeout?: number | undefined;
  /**
   * Connections that may be there or in their handshake at once; one more gets 503. Those held
   * without a WebSocket count (`resume`), and a client that comes back needs no place of its own.
   * Those whose stream is done, and whose peer still reads, count too, but the oldest of them gives
   * way.
   * `Infinity` for any number.
   * @default on Linux what the descriptors of the process allow for: 64 and those of
   * `maxPendingConnections` are left aside, and each connection gets two, one for what it leads to.
   * 1024 elsewhere
   */
  readonly maxConnections?: number | undefined;
  /**
   * TCP connections that may be there without having sent their request: idle ones, and those
   * within their TLS handshake. One more is taken, and the oldest of the address that has most of
   * them is dropped for it ('drop'), so that a flood keeps nobody out. `Infinity` for any number.
   *
   * On a given `server` they are counted too, since nobody has a request on them yet; what has sent
   * one is never dropped. Nothing is dropped where that server has listeners for 'connect',
   * 'checkContinue' or 'checkExpectation', or speaks HTTP/2.
   * @default on Linux a quarter of the descriptors, 1024 at most; 256 elsewhere
   */
  readonly maxPendingConnections?: number | undefined;
  /**
   * Bytes that all connections together may have read of messages whose end has not come; `Infinity`
   * for any number. Over it the connection with most of them fails with `EMSGSIZE`, and its peer
   * gets close code 1013. Without this, each connection could hold `maxPayload`.
   * @default 134217728
   */
  readonly maxUnfinishedBytes?: number | undefined;
  /**
   * Bytes of the largest message to take; a larger one fails its connection with `EMSGSIZE`.
   * @default 1048576
   */
  readonly maxPayload?: number | undefined;
}

export interface ResumableServerOptions extends CreateServerOptions {
  /**
   * Whether connections may outlive their WebSockets, and how: those of clients that ask for it.
   * @default false
   */
  readonly resume: boolean | ResumeOptions;
}

const DEFAULT_TIMEOUT = 10_000;
/** 2,000 connections that are each amid one of this package's messages of 64 KiB. */
const DEFAULT_UNFINISHED_BYTES = 134_217_728;

/** The options of a server, checked and complete. */
export interface ServerSettings {
  readonly server: http.Server | undefined;
  readonly path: string | undefined;
  readonly origins: ReadonlySet<string>;
  readonly authenticate: Authenticate | undefined;
  readonly authenticateTimeout: number;
  readonly handshakeTimeout: number;
  readonly maxConnections: number;
  readonly maxPendingConnections: number;
  /** undefined where connections end with their WebSocket. */
  readonly resume: ResumeSettings | undefined;
  /** For its connections. */
  readonly adapter: AdapterSettings;
  /** For those whose clients offer half close. */
  readonly adapterOffered: AdapterSettings;
  /** For their handshakes. */
  readonly webSocket: WebSocketServerSettings;
}

/**
 * Checks the server's options, those for its adapters included, and fills in the defaults.
 * @throws `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`, `ERR_OUT_OF_RANGE`, with the name of the
 * option
 */
export function checkServerOptions(
  options: CreateServerOptions & Partial<ResumableServerOptions>,
): ServerSettings {
  const adapter = new AdapterSettings(options, {
    maxPayload: DEFAULT_MAX_PAYLOAD,
    handshakeTimeout: DEFAULT_TIMEOUT,
  });
  const { authenticate, path, server } = options;
  const resume = resumeOption(options.resume);
  const defaults = defaultConnectionLimits();
  if (path !== undefined && typeof path !== 'string') {
    throw invalidArgType('options.path', 'of type string', path);
  }
  if (path !== undefined && !path.startsWith('/')) {
    throw invalidArgValue('options.path', "must begin with '/'", path);
  }
  if (server !== undefined && typeof (server as Partial<http.Server> | null)?.on !== 'function') {
    throw invalidArgType('options.server', 'an http.Server or https.Server', server);
  }
  if (authenticate !== undefined && typeof authenticate !== 'function') {
    throw invalidArgType('options.authenticate', 'of type function', authenticate);
  }
  const unfinished = limitOption(
    'options.maxUnfinishedBytes',
    options.maxUnfinishedBytes,
    DEFAULT_UNFINISHED_BYTES,
    1,
  );
  const ofConnections = adapter.with({ unfinished: new UnfinishedBytes(unfinished) });
  return {
    server,
    path,
    origins: originsOption(options.origins),
    authenticate,
    authenticateTimeout: timeoutOption(
      'options.authenticateTimeout',
      options.authenticateTimeout,
      DEFAULT_TIMEOUT,
    ),
    handshakeTimeout: adapter.handshakeTimeout,
    maxConnections: limitOption(
      'options.maxConnections',
      options.maxConnections,
      defaults.maxConnections,
      0,
    ),
    maxPendingConnections: limitOption(
      'options.maxPendingConnections',
      options.maxPendingConnections,
      defaults.maxPendingConnections,
      1,
    ),
    resume,
    adapter: ofConnections,
    adapterOffered: ofConnections.with({ halfCloseOffered: true }),
    webSocket: {
      autoPong: options.autoPong,
      halfClose: adapter.halfClose,
      handleProtocols: options.handleProtocols,
      maxBufferedChunks: options.maxBufferedChunks ?? maxBufferedChunks(adapter.maxPayload),
      maxFragments: options.maxFragments ?? maxFragments(adapter.maxPayload),
      // Data has a header in the messages of a connection that is resumed.
      maxPayload: adapter.maxPayload + (resume ? MAX_DATA_HEADER : 0),
      perMessageDeflate: options.perMessageDeflate,
    },
  };
}
