import { invalidArgType, outOfRange } from './errors.ts';

/**
 * Longest delay that Node's timers can hold, in ms: 2^31 - 1, nearly 25 days. Node takes a longer
 * one for 1 ms.
 */
export const MAX_DELAY = 2 ** 31 - 1;

/**
 * Returns a whole-number option between `min` and `max`, or `fallback` where it was left out;
 * throws with its name.
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
 * Returns how many of something an option allows, at least `min`: a whole number, or Infinity for
 * any number; `fallback` where it was left out. Throws with its name.
 */
export function limitOption(name: string, value: unknown, fallback: number, min: number): number {
  return value === Infinity ? Infinity : integerOption(name, value, fallback, min);
}

/**
 * Returns a time limit option in ms, at least `min` (1 unless told), or `fallback` where it was
 * left out; throws with its name.
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

/**
 * Returns a yes-or-no option, or `fallback` where it was left out; throws with its name.
 */
export function booleanOption<Fallback extends boolean | undefined>(
  name: string,
  value: unknown,
  fallback: Fallback,
): boolean | Fallback {
  if (value === undefined) return fallback;
  if (typeof value !== 'boolean') throw invalidArgType(name, 'of type boolean', value);
  return value;
}

/** Throws unless the value is an object that can hold options. */
export function checkObject(name: string, value: unknown): void {
  if (typeof value !== 'object' || value === null) throw invalidArgType(name, 'an object', value);
}
