import { invalidArgType, outOfRange } from './errors.ts';

/**
 * Longest delay that Node's timers can hold, in ms: 2^31 - 1, nearly 25 days. Node takes a longer
 * one for 1 ms.
 */
export const MAX_DELAY = 2 ** 31 - 1;

/**
 * Gives a whole-number option between `min` and `max`, or its default where it was left out; throws
 * with its name.
 */
export function integerOption(
  name: string,
  value: unknown,
  fallback: number,
  min: number,
  max = Number.MAX_SAFE_INTEGER,
): number {
  if (value === undefined) return fallback;
  if (typeof value !== 'number') throw invalidArgType(name, 'of type number', value);
  if (!Number.isInteger(value) || value < min || value > max) {
    throw outOfRange(name, `an integer >= ${String(min)} and <= ${String(max)}`, value);
  }
  return value;
}

/**
 * Gives a time limit option in ms, at least `min` (1 unless told), or its default where it was left
 * out; throws with its name.
 */
export function timeoutOption(name: string, value: unknown, fallback: number, min = 1): number {
  return integerOption(name, value, fallback, min, MAX_DELAY);
}

/**
 * Checks an idle limit in ms, which may have a fraction, and 0 for none, as
 * `net.Socket.setTimeout()` takes it.
 */
export function idleTimeoutOption(name: string, value: unknown): number {
  if (typeof value !== 'number') throw invalidArgType(name, 'of type number', value);
  if (!(value >= 0 && value <= MAX_DELAY)) {
    throw outOfRange(name, `>= 0 and <= ${String(MAX_DELAY)}`, value);
  }
  return value;
}

/** Gives a yes-or-no option, or its default where it was left out; throws with its name. */
export function booleanOption(name: string, value: unknown, fallback: boolean): boolean {
  if (value === undefined) return fallback;
  if (typeof value !== 'boolean') throw invalidArgType(name, 'of type boolean', value);
  return value;
}

/** Throws unless the value is an object that can hold options. */
export function checkObject(name: string, value: unknown): void {
  if (typeof value !== 'object' || value === null) throw invalidArgType(name, 'an object', value);
}
