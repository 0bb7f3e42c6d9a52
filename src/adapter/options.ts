import { booleanOption, integerOption, timeoutOption } from '../base/check-option.ts';
import { type SocketDuplexOptions, SocketSettings } from '../base/socket-options.ts';
import {
  type KeepaliveOptions,
  keepaliveOption,
  type KeepaliveSettings,
} from '../keepalive/options.ts';
import type { UnfinishedBytes } from '../websocket/unfinished-bytes.ts';
import { LARGEST_MAX_PAYLOAD } from '../websocket/ws-limits.ts';

export interface WsConnAdapterOptions extends SocketDuplexOptions {
  /**
   * Whether an empty binary message ends one direction and leaves the other open. Both ends must
   * have it: `connect()` and `createServer()` find that out in the handshake where this is left
   * out. Without it `end()` closes the WebSocket.
   * @default false
   */
  readonly halfClose?: boolean | undefined;
  /**
   * Whether to call `ping()` as soon as the connection is there, and with which options.
   * @default false
   */
  readonly keepalive?: boolean | KeepaliveOptions | undefined;
  /**
   * Time in ms that `close()`, and the closing handshake once both directions have ended, may take.
   * @default 5000
   */
  readonly closeTimeout?: number | undefined;
  /**
   * Time in ms that a WebSocket which is still CONNECTING may take to open; then the error is
   * `ETIMEDOUT`.
   * @default none; 10000 for connect()
   */
  readonly handshakeTimeout?: number | undefined;
  /**
   * Bytes of the largest message to send; larger writes are cut.
   * @default 65536
   */
  readonly maxMessageSize?: number | undefined;
  /**
   * Bytes of the largest message that the WebSocket takes; for a WebSocket of one's own:
   * `connect()` and `createServer()` give theirs. yamux keeps its windows below it, since a peer
   * may send what a window allows as one message.
   * @default 104857600, as in ws
   */
  readonly maxPayload?: number | undefined;
  /**
   * Whether an orderly TCP end without a Close frame ends the stream instead of failing it with
   * `ECONNRESET`. For peers that never send Close, such as gorilla's `Conn.Close()`; a stream that
   * was cut then looks whole.
   * @default false
   */
  readonly tcpEndIsEof?: boolean | undefined;
}

const DEFAULT_CLOSE_TIMEOUT = 5_000;
const DEFAULT_MESSAGE_SIZE = 65_536;
/** That of ws: 100 MiB. */
const DEFAULT_MAX_PAYLOAD_OF_WS = 104_857_600;

/** What the options that were left out are, where it is not as for a WebSocket of one's own. */
export interface AdapterDefaults {
  readonly maxPayload?: number;
  readonly handshakeTimeout?: number;
}

/** The options of an adapter, checked and complete. */
export class AdapterSettings extends SocketSettings {
  /** By hand: true or false; undefined where the two ends find it out. */
  readonly halfClose: boolean | undefined;
  /**
   * Whether a client has offered half close and was answered; it counts as agreed when the client
   * shows that it saw the answer.
   */
  readonly halfCloseOffered: boolean = false;
  readonly keepalive: KeepaliveSettings | undefined;
  /** Where unfinished messages are counted, for all connections of a server. */
  readonly unfinished: UnfinishedBytes | undefined = undefined;
  readonly closeTimeout: number;
  /** Infinity for none. */
  readonly handshakeTimeout: number;
  readonly maxMessageSize: number;
  readonly maxPayload: number;
  readonly tcpEndIsEof: boolean;

  /** @throws `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`, with the name of the option */
  constructor(
    options: WsConnAdapterOptions,
    { maxPayload = DEFAULT_MAX_PAYLOAD_OF_WS, handshakeTimeout = Infinity }: AdapterDefaults = {},
  ) {
    super(options);
    this.halfClose = booleanOption('options.halfClose', options.halfClose, undefined);
    this.keepalive = keepaliveOption(options.keepalive, false);
    this.closeTimeout = timeoutOption(
      'options.closeTimeout',
      options.closeTimeout,
      DEFAULT_CLOSE_TIMEOUT,
    );
    this.handshakeTimeout = timeoutOption(
      'options.handshakeTimeout',
      options.handshakeTimeout,
      handshakeTimeout,
    );
    this.maxMessageSize = integerOption(
      'options.maxMessageSize',
      options.maxMessageSize,
      DEFAULT_MESSAGE_SIZE,
      1,
    );
    this.maxPayload = integerOption(
      'options.maxPayload',
      options.maxPayload,
      maxPayload,
      1,
      LARGEST_MAX_PAYLOAD,
    );
    this.tcpEndIsEof = booleanOption('options.tcpEndIsEof', options.tcpEndIsEof, false);
  }

  /** Returns the settings for one connection of many, with what is known of that one. */
  with(
    known: Partial<Pick<AdapterSettings, 'halfCloseOffered' | 'tcpEndIsEof' | 'unfinished'>>,
  ): AdapterSettings {
    const copy = Object.create(AdapterSettings.prototype) as AdapterSettings;
    return Object.assign(copy, this, known);
  }
}

/**
 * Checks the options and fills in the defaults; those that were checked before pass as they are.
 * @throws `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`, with the name of the option
 */
export function checkAdapterOptions(options: WsConnAdapterOptions): AdapterSettings {
  return options instanceof AdapterSettings ? options : new AdapterSettings(options);
}
