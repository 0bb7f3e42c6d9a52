import { wholeNumber } from './check-option.ts';

/** Sixteen times the largest message that this package sends, so that peers with larger ones get through too. */
const DEFAULT_MAX_PAYLOAD = 1_048_576;
/** ws keeps the limit in 32 bits with a sign. */
const MOST = 2 ** 31 - 1;

/** Gives the option `maxPayload` of connect() and createServer(), which bounds the memory that one message can take. */
export function checkMaxPayload(value: unknown): number {
  return wholeNumber('options.maxPayload', value, DEFAULT_MAX_PAYLOAD, 1, MOST);
}
