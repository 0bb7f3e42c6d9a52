import { checkObject, timeoutOption } from '../base/check-option.ts';
import { invalidArgType } from '../base/errors.ts';

export interface KeepaliveOptions {
  /**
   * Longest time in ms between two looks at the connection; each comes 5 to 20 % earlier, so that
   * many connections do not ping in step, and two of them stay under the shortest idle limit in
   * wide use (30 s, GCP's TCP proxy).
   * @default 15000
   */
  readonly interval?: number | undefined;
  /**
   * Time in ms that the peer has for a sign of life, from when a ping has reached it; the bytes
   * before the ping get the time that they need at 8 kB/s.
   * @default 10000
   */
  readonly pongTimeout?: number | undefined;
}

/** The options of a keepalive, checked and complete. */
export class KeepaliveSettings {
  readonly interval: number;
  readonly pongTimeout: number;

  /** @throws `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`, with the name of the option */
  constructor(options: KeepaliveOptions, name: string, defaults: KeepaliveDefaults) {
    checkObject(name, options);
    this.interval = timeoutOption(`${name}.interval`, options.interval, defaults.interval);
    this.pongTimeout = timeoutOption(
      `${name}.pongTimeout`,
      options.pongTimeout,
      defaults.pongTimeout,
    );
  }
}

type KeepaliveDefaults = Pick<KeepaliveSettings, 'interval' | 'pongTimeout'>;

const NAME = 'options.keepalive';
const DEFAULTS: KeepaliveDefaults = { interval: 15_000, pongTimeout: 10_000 };

/**
 * Checks the options and fills in the defaults; those that were checked before pass as they are.
 * @throws `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`, with the name of the option
 */
export function checkKeepaliveOptions(
  options: KeepaliveOptions,
  name = 'options',
  defaults = DEFAULTS,
): KeepaliveSettings {
  return options instanceof KeepaliveSettings
    ? options
    : new KeepaliveSettings(options, name, defaults);
}

/**
 * Checks the option `keepalive` of whatever starts one by itself: a boolean, or options. Returns
 * the settings, or undefined where there is to be no keepalive.
 * @throws `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`, with the name of the option
 */
export function keepaliveOption(
  value: unknown,
  fallback: boolean,
  defaults = DEFAULTS,
): KeepaliveSettings | undefined {
  const keepalive = value === undefined ? fallback : value;
  if (keepalive === false) return undefined;
  if (keepalive === true) return new KeepaliveSettings({}, NAME, defaults);
  if (typeof keepalive !== 'object' || keepalive === null) {
    throw invalidArgType(NAME, 'a boolean or an object', keepalive);
  }
  return checkKeepaliveOptions(keepalive, NAME, defaults);
}
