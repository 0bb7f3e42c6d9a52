import { timeoutOption } from '../base/check-option.ts';

/**
 * Time limits of one end of a control connection. The defaults are those of ShellHub's pkg/revdial,
 * and fit its ends.
 */
export interface ControlOptions {
  /**
   * Time in ms between two keep-alive messages; the first is sent at once.
   * @default 30000
   */
  readonly keepAliveInterval?: number | undefined;
  /**
   * Time in ms without a message after which the peer is taken for gone: `ETIMEDOUT`. More than the
   * `keepAliveInterval` of the peer, or a healthy one is given up. ShellHub's server has no such
   * limit, its device the same as here.
   * @default 35000
   */
  readonly keepAliveTimeout?: number | undefined;
  /**
   * Time in ms that one message may take to leave: `ETIMEDOUT`. ShellHub's device has no such
   * limit, its server the same as here.
   * @default 10000
   */
  readonly writeTimeout?: number | undefined;
}

export interface ControlSettings {
  readonly keepAliveInterval: number;
  readonly keepAliveTimeout: number;
  readonly writeTimeout: number;
}

const DEFAULT_KEEP_ALIVE_INTERVAL = 30_000;
const DEFAULT_KEEP_ALIVE_TIMEOUT = 35_000;
const DEFAULT_WRITE_TIMEOUT = 10_000;

/**
 * Checks the options and fills in the defaults; throws `ERR_INVALID_ARG_TYPE` or `ERR_OUT_OF_RANGE`
 * with the name.
 */
export function checkControlOptions(options: ControlOptions): ControlSettings {
  const { keepAliveInterval, keepAliveTimeout, writeTimeout } = options;
  return {
    keepAliveInterval: timeoutOption(
      'options.keepAliveInterval',
      keepAliveInterval,
      DEFAULT_KEEP_ALIVE_INTERVAL,
    ),
    keepAliveTimeout: timeoutOption(
      'options.keepAliveTimeout',
      keepAliveTimeout,
      DEFAULT_KEEP_ALIVE_TIMEOUT,
    ),
    writeTimeout: timeoutOption('options.writeTimeout', writeTimeout, DEFAULT_WRITE_TIMEOUT),
  };
}
