import { booleanOption, integerOption, timeoutOption } from '../base/check-option.ts';
import { invalidArgType } from '../base/errors.ts';
import { checkKeepaliveOptions, type KeepaliveOptions } from '../keepalive/keepalive.ts';
import { checkMaxPayload } from '../websocket/ws-limits.ts';
import { checkSocketOptions, type SocketDuplexOptions } from '../base/socket-options.ts';

export interface WsConnAdapterOptions extends SocketDuplexOptions {
  /**
   * Whether an empty binary message ends one direction and leaves the other open. Both ends must
   * have it: `connect()` and `createServer()` find that out in the handshake where this is left
   * out. Without it `end()` closes the WebSocket.
   * @default false
   */
  readonly halfClose?: boolean | undefined;
  /**
   * Whether a client has offered half close and was answered; it counts as agreed when the client
   * shows that it saw the answer.
   * @internal
   */
  readonly halfCloseOffered?: boolean | undefined;
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

export interface CheckedAdapterOptions {
  readonly halfClose: boolean | undefined;
  readonly halfCloseOffered: boolean;
  readonly keepalive: KeepaliveOptions | undefined;
  readonly closeTimeout: number;
  readonly handshakeTimeout: number | undefined;
  readonly maxMessageSize: number;
  readonly maxPayload: number;
  readonly tcpEndIsEof: boolean;
}

/**
 * Checks the adapter's options and fills in the defaults; throws `ERR_INVALID_ARG_TYPE` or
 * `ERR_OUT_OF_RANGE` with the name.
 */
export function checkAdapterOptions(options: WsConnAdapterOptions): CheckedAdapterOptions {
  checkSocketOptions(options);
  const { halfClose, handshakeTimeout } = options;
  return {
    halfClose:
      halfClose === undefined ? undefined : booleanOption('options.halfClose', halfClose, false),
    halfCloseOffered: options.halfCloseOffered ?? false,
    keepalive: checkKeepalive(options.keepalive),
    closeTimeout: timeoutOption(
      'options.closeTimeout',
      options.closeTimeout,
      DEFAULT_CLOSE_TIMEOUT,
    ),
    handshakeTimeout:
      handshakeTimeout === undefined
        ? undefined
        : timeoutOption('options.handshakeTimeout', handshakeTimeout, 1),
    maxMessageSize: integerOption(
      'options.maxMessageSize',
      options.maxMessageSize,
      DEFAULT_MESSAGE_SIZE,
      1,
    ),
    maxPayload: checkMaxPayload(options.maxPayload, DEFAULT_MAX_PAYLOAD_OF_WS),
    tcpEndIsEof: booleanOption('options.tcpEndIsEof', options.tcpEndIsEof, false),
  };
}

function checkKeepalive(
  keepalive: WsConnAdapterOptions['keepalive'] | null,
): KeepaliveOptions | undefined {
  if (keepalive === undefined || keepalive === false) return undefined;
  if (keepalive === true) return checkKeepaliveOptions({});
  if (typeof keepalive !== 'object' || keepalive === null) {
    throw invalidArgType('options.keepalive', 'a boolean or an object', keepalive);
  }
  return checkKeepaliveOptions(keepalive, 'options.keepalive');
}
