import { checkObject, integerOption, limitOption, timeoutOption } from '../../base/check-option.ts';

/** Options of a connection that outlives its WebSocket. Each side ignores what is the other's. */
export interface ResumeOptions {
  /**
   * Bytes that this side keeps without an acknowledgement, and takes without its user having read
   * them. Over a round trip of 100 ms the default lets some 80 MB/s through.
   * @default 8388608
   */
  readonly window?: number | undefined;
  /**
   * Of a server: time in ms that a connection is held without a WebSocket, until its client comes
   * back.
   * @default 120000
   */
  readonly holdTime?: number | undefined;
  /**
   * Of a client: time in ms that it tries to come back; then the error is `ETIMEDOUT`.
   * @default 120000
   */
  readonly giveUpAfter?: number | undefined;
  /**
   * Of a client: time in ms after which the next WebSocket is opened, before the old one is given
   * up. For a path that limits how long a connection may last: some seconds less than that.
   * @default never
   */
  readonly rotate?: number | undefined;
  /**
   * Of a server: connections that are held without a WebSocket at once. One more, and the one that
   * was without for longest is given up, with `ETIMEDOUT`.
   * @default 1024
   */
  readonly maxSessions?: number | undefined;
  /**
   * Of a server: bytes that all its connections together keep, unacknowledged or unread. Over it
   * those held without a WebSocket are given up with `ECONNRESET`, the longest without first. Then
   * the others are held back: their high-water marks are kept, and those that wait both for a
   * reader and for acknowledgements read on turn by turn, which may take a quarter more (or one
   * `window`).
   * @default 268435456
   */
  readonly maxBytes?: number | undefined;
  /**
   * Of a server: what the ids of its connections begin with, 0 to 255; the other 120 bits are random.
   * Whoever spreads connections over several processes finds the one that holds a connection by it,
   * in the header of the client that comes back.
   * @default random
   */
  readonly idFirstByte?: number | undefined;
}

const DEFAULTS = {
  window: 8_388_608,
  time: 120_000,
  maxSessions: 1_024,
  maxBytes: 268_435_456,
};

/** A window smaller than this would have a sender wait for each acknowledgement. */
const SMALLEST_WINDOW = 65_536;

/** The options, checked and complete. */
export interface ResumeSettings {
  readonly window: number;
  readonly holdTime: number;
  readonly giveUpAfter: number;
  /** Infinity for never. */
  readonly rotate: number;
  readonly maxSessions: number;
  readonly maxBytes: number;
  /** undefined for a random one. */
  readonly idFirstByte: number | undefined;
}

/**
 * Checks the option `resume`; undefined where it is off.
 * @throws `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`
 */
export function resumeOption(
  value: boolean | ResumeOptions | undefined,
): ResumeSettings | undefined {
  if (value === undefined || value === false) return undefined;
  const options = value === true ? {} : value;
  checkObject('options.resume', options);
  const name = (option: string): string => `options.resume.${option}`;
  return {
    window: integerOption(name('window'), options.window, DEFAULTS.window, SMALLEST_WINDOW),
    holdTime: timeoutOption(name('holdTime'), options.holdTime, DEFAULTS.time),
    giveUpAfter: timeoutOption(name('giveUpAfter'), options.giveUpAfter, DEFAULTS.time),
    rotate:
      options.rotate === undefined ? Infinity : timeoutOption(name('rotate'), options.rotate, 1),
    maxSessions: limitOption(name('maxSessions'), options.maxSessions, DEFAULTS.maxSessions, 0),
    maxBytes: limitOption(name('maxBytes'), options.maxBytes, DEFAULTS.maxBytes, SMALLEST_WINDOW),
    idFirstByte:
      options.idFirstByte === undefined
        ? undefined
        : integerOption(name('idFirstByte'), options.idFirstByte, 0, 0, 255),
  };
}
