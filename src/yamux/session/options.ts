import { integerOption, limitOption, timeoutOption } from '../../base/check-option.ts';
import { invalidArgValue } from '../../base/errors.ts';
import { checkSocketOptions, type SocketDuplexOptions } from '../../base/socket-options.ts';
import {
  keepaliveOption,
  type KeepaliveOptions,
  type KeepaliveSettings,
} from '../../keepalive/options.ts';
import { INITIAL_WINDOW, MAX_UINT32 } from '../wire/frame.ts';

/** Defaults are those of hashicorp/yamux (`DefaultConfig()` in mux.go) where it has the option. */
export interface YamuxSessionOptions extends Omit<SocketDuplexOptions, 'signal'> {
  /**
   * Which end this is. The client's streams have odd numbers, the server's even ones: both ends
   * must not be the same.
   */
  readonly role: 'client' | 'server';
  /**
   * Streams of the peer that may wait to be taken; further ones are reset. Also the number of own
   * streams that may wait for the peer to take them: the SYN of a further one waits, since the
   * peer's backlog is taken to be as large.
   * @default 256
   */
  readonly acceptBacklog?: number | undefined;
  /**
   * Streams that the peer may have open at a time; `Infinity` for any number. A further one is
   * reset at once, and the session goes on: who opens it there gets `ECONNRESET`, and may try again
   * when another has ended. Own streams do not count: the peer decides how many it takes.
   * @default 1024
   */
  readonly maxStreams?: number | undefined;
  /**
   * Bytes that the peer may send on a new stream before they are read; at least 262144, which the
   * protocol gives it.
   * @default 262144
   */
  readonly streamWindowSize?: number | undefined;
  /**
   * Bytes up to which a stream's window grows where round trip and rate ask for it. Over a
   * WebSocket it also stays below the largest message that this end takes (`maxPayload`, 1 MiB for
   * connect() and createServer()), since Go programs send what a window allows as one message; with
   * the subprotocol `wsconn.mux` both ends are known not to. A `maxPayload` below the 262144 bytes
   * that the protocol gives each stream cannot be kept to: such a peer fails the session with
   * `EMSGSIZE`.
   * @default 16777216
   */
  readonly maxStreamWindowSize?: number | undefined;
  /**
   * Bytes that may wait to be read in all streams together. Windows grow only within it. The 262144
   * bytes that the protocol gives each stream can be more where streams are very many: one that is
   * not read when the limit is passed is reset, with `ECONNRESET`.
   * @default 134217728
   */
  readonly sessionWindowLimit?: number | undefined;
  /**
   * How to keep the session alive with yamux's own pings, and to notice that the peer is gone;
   * false for not at all, true for the defaults. `interval` is 30000 ms unless given, and not the
   * 15000 ms of a WebSocket's keepalive. `pongTimeout`, 10000 ms unless given, is also the time for
   * the answer to a `ping()`.
   * @default true
   */
  readonly keepalive?: boolean | KeepaliveOptions | undefined;
  /**
   * Time in ms that the peer has to accept a stream; then it is reset, with `ETIMEDOUT`.
   * @default 75000
   */
  readonly streamOpenTimeout?: number | undefined;
  /**
   * Time in ms for which a stream that this side has ended may stay open without a byte from the
   * peer; then it is reset, with `ETIMEDOUT`.
   * @default 300000
   */
  readonly streamCloseTimeout?: number | undefined;
  /**
   * Time in ms that `close()`, of the session or of a stream, may take.
   * @default 5000
   */
  readonly closeTimeout?: number | undefined;
}

/** The options of a session, checked and complete. */
export interface SessionSettings {
  readonly client: boolean;
  readonly acceptBacklog: number;
  readonly maxStreams: number;
  readonly streamWindowSize: number;
  readonly maxStreamWindowSize: number;
  readonly sessionWindowLimit: number;
  /** Undefined for none. */
  readonly keepalive: KeepaliveSettings | undefined;
  readonly pingTimeout: number;
  readonly streamOpenTimeout: number;
  readonly streamCloseTimeout: number;
  readonly closeTimeout: number;
  /** Options of each stream, unless `open()` is given others. */
  readonly stream: SocketDuplexOptions;
}

const DEFAULT_BACKLOG = 256;
/** Each can cost its user a connection of its own: a file descriptor at least. */
const DEFAULT_MAX_STREAMS = 1_024;
const DEFAULT_MAX_WINDOW = 16_777_216;
const DEFAULT_SESSION_LIMIT = 134_217_728;
const DEFAULT_KEEPALIVE = { interval: 30_000, pongTimeout: 10_000 };
const DEFAULT_OPEN_TIMEOUT = 75_000;
const DEFAULT_STREAM_CLOSE_TIMEOUT = 300_000;
const DEFAULT_CLOSE_TIMEOUT = 5_000;

/**
 * Checks the options and fills in the defaults.
 * @throws `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`, `ERR_OUT_OF_RANGE`, with the name of the
 * option
 */
export function checkOptions(options: YamuxSessionOptions): SessionSettings {
  const stream = checkSocketOptions(options);
  const { role } = options as { role: unknown };
  if (role !== 'client' && role !== 'server') {
    throw invalidArgValue('options.role', "must be 'client' or 'server'", role);
  }
  const number = (
    name: keyof YamuxSessionOptions,
    fallback: number,
    min: number,
    max?: number,
  ): number => integerOption(`options.${name}`, options[name], fallback, min, max);
  const time = (name: keyof YamuxSessionOptions, fallback: number): number =>
    timeoutOption(`options.${name}`, options[name], fallback);
  const streamWindowSize = number('streamWindowSize', INITIAL_WINDOW, INITIAL_WINDOW, MAX_UINT32);
  const keepalive = keepaliveOption(options.keepalive, true, DEFAULT_KEEPALIVE);
  return {
    client: role === 'client',
    acceptBacklog: number('acceptBacklog', DEFAULT_BACKLOG, 1),
    maxStreams: limitOption('options.maxStreams', options.maxStreams, DEFAULT_MAX_STREAMS, 1),
    streamWindowSize,
    maxStreamWindowSize: number(
      'maxStreamWindowSize',
      Math.max(DEFAULT_MAX_WINDOW, streamWindowSize),
      streamWindowSize,
      MAX_UINT32,
    ),
    sessionWindowLimit: number('sessionWindowLimit', DEFAULT_SESSION_LIMIT, INITIAL_WINDOW),
    keepalive,
    pingTimeout: (keepalive ?? DEFAULT_KEEPALIVE).pongTimeout,
    streamOpenTimeout: time('streamOpenTimeout', DEFAULT_OPEN_TIMEOUT),
    streamCloseTimeout: time('streamCloseTimeout', DEFAULT_STREAM_CLOSE_TIMEOUT),
    closeTimeout: time('closeTimeout', DEFAULT_CLOSE_TIMEOUT),
    stream,
  };
}
