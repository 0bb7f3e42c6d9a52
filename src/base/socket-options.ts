import { booleanOption, checkObject, integerOption } from './check-option.ts';
import { invalidArgType } from './errors.ts';

export interface SocketDuplexOptions {
  /**
   * Whether the writable side stays open after the peer has ended its own. As in `net.Socket`, the
   * default ends it.
   * @default false
   */
  readonly allowHalfOpen?: boolean | undefined;
  /**
   * Bytes that may wait to be read before the peer is held back.
   * @default 65536
   */
  readonly readableHighWaterMark?: number | undefined;
  /**
   * Bytes that may wait to be sent before `write()` returns false.
   * @default 65536
   */
  readonly writableHighWaterMark?: number | undefined;
  /** Destroys the stream with an `AbortError` when it fires. */
  readonly signal?: AbortSignal | undefined;
}

const DEFAULT_HIGH_WATER_MARK = 65_536;

/** The options of a SocketDuplex, checked and complete. */
export class SocketSettings {
  readonly allowHalfOpen: boolean;
  readonly readableHighWaterMark: number;
  readonly writableHighWaterMark: number;
  readonly signal: AbortSignal | undefined;

  /** @throws `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`, with the name of the option */
  constructor(options: SocketDuplexOptions) {
    checkObject('options', options);
    const { signal } = options;
    if (signal !== undefined && !(signal instanceof AbortSignal)) {
      throw invalidArgType('options.signal', 'an AbortSignal', signal);
    }
    this.signal = signal;
    this.allowHalfOpen = booleanOption('options.allowHalfOpen', options.allowHalfOpen, false);
    this.readableHighWaterMark = integerOption(
      'options.readableHighWaterMark',
      options.readableHighWaterMark,
      DEFAULT_HIGH_WATER_MARK,
      0,
    );
    this.writableHighWaterMark = integerOption(
      'options.writableHighWaterMark',
      options.writableHighWaterMark,
      DEFAULT_HIGH_WATER_MARK,
      0,
    );
  }
}

/**
 * Checks the options and fills in the defaults; those that were checked before pass as they are.
 * @throws `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`, with the name of the option
 */
export function checkSocketOptions(options: SocketDuplexOptions): SocketSettings {
  return options instanceof SocketSettings ? options : new SocketSettings(options);
}
