import { integerOption } from '../base/check-option.ts';

/**
 * Sixteen times the largest message that this package sends, so that peers with larger ones get
 * through too.
 */
const DEFAULT_MAX_PAYLOAD = 1_048_576;
/** ws keeps the limit in 32 bits with a sign. */
const MOST = 2 ** 31 - 1;

/**
 * Gives the option `maxPayload`, which bounds the memory that one message can take; the default is
 * that of connect() and createServer().
 */
export function checkMaxPayload(value: unknown, fallback = DEFAULT_MAX_PAYLOAD): number {
  return integerOption('options.maxPayload', value, fallback, 1, MOST);
}
