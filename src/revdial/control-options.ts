import { checkObject, timeoutOption } from '../base/check-option.ts';

/**
 * Options of one end of a control connection. The defaults are those of ShellHub's pkg/revdial, and
 * fit its ends.
 */
export interface ControlOptions {
  /**
   * Time in ms between two keep-alive messages; the first is sent at once.
   * @default 30000
   */
  readonly interval?: number | undefined;
  /**
   * Time in ms without a message after which the peer is taken for gone: `ETIMEDOUT`. It must be
   * more than the `interval` of the peer, or a healthy one is given up. ShellHub's server has no
   * such limit. Its device has the same as here.
   * @default 35000
   */
  readonly timeout?: number | undefined;
  /**
   * Time in ms that one message may take to leave: `ETIMEDOUT`. ShellHub's device has no such
   * limit. Its server has the same as here.
   * @default 10000
   */
  readonly writeTimeout?: number | undefined;
}

/** The options of a control connection, checked and complete. */
export type ControlSettings = Readonly<Record<keyof ControlOptions, number>>;

const DEFAULTS: ControlSettings = { interval: 30_000, timeout: 35_000, writeTimeout: 10_000 };

/**
 * Checks the option `control` and fills in the defaults; throws `ERR_INVALID_ARG_TYPE` or
 * `ERR_OUT_OF_RANGE` with the name.
 */
export function checkControlOptions(options: ControlOptions = {}): ControlSettings {
  checkObject('options.control', options);
  const time = (name: keyof ControlOptions): number =>
    timeoutOption(`options.control.${name}`, options[name], DEFAULTS[name]);
  return {
    interval: time('interval'),
    timeout: time('timeout'),
    writeTimeout: time('writeTimeout'),
  };
}
