import { usageFailure } from '../console/failure.ts';
import { showGiven } from '../console/secrets.ts';
import type { Values } from './options.ts';

/** A value of one option, and that of the option which belongs to it, if it was given. */
export type Pair = readonly [first: string, second: string | undefined];

/**
 * Returns the values of an option that may be given many times, each with its own value of another:
 * the one that follows it on the command line or in a file, or that stands at the same place of the list where
 * one of them comes from the environment. The second may be left out where there is one pair.
 * @throws Failure where they cannot be paired
 */
export function pairsOf<Name extends string>(
  values: Values<Name>,
  first: Name,
  second: Name,
): readonly Pair[] {
  const source = values.source(first);
  // What a file pairs is replaced as a whole.
  const alone = values.source(second) === 'file' && source !== 'file';
  const [firsts, seconds] = [values.list(first), alone ? [] : values.list(second)];
  const [only] = firsts;
  if (firsts.length === 1 && seconds.length <= 1 && only !== undefined) {
    return [[only, seconds[0]]];
  }
  const ordered = source === 'command line' || source === 'file';
  const together = alone || values.source(second) === source || seconds.length === 0;
  return ordered && together && firsts.length > 0
    ? pairsByOrder(values, first, second)
    : pairsByPlace(values, first, second);
}

function pairsByOrder<Name extends string>(
  values: Values<Name>,
  first: Name,
  second: Name,
): readonly Pair[] {
  const [firsts, seconds] = [[...values.list(first)], [...values.list(second)]];
  const order = values.order(values.source(first));
  const pairs: Pair[] = [];
  let open: string | undefined;
  for (const name of [...order, first]) {
    if (name === first) {
      if (open !== undefined) {
        throw usageFailure(
          `--${first} ${showGiven(open)} has no --${second}: each --${first} is followed by its own`,
        );
      }
      open = firsts.shift();
    } else if (name === second) {
      const value = seconds.shift();
      if (open === undefined) {
        throw usageFailure(
          `--${second} ${showGiven(value ?? '')} follows no --${first}: each --${first} is followed by its own --${second}`,
        );
      }
      pairs.push([open, value]);
      open = undefined;
    }
  }
  return pairs;
}

function pairsByPlace<Name extends string>(
  values: Values<Name>,
  first: Name,
  second: Name,
): readonly Pair[] {
  const [firsts, seconds] = [values.list(first), values.list(second)];
  if (firsts.length !== seconds.length) {
    throw usageFailure(
      `each ${values.nameOf(first)} needs its own ${values.nameOf(second)}, but there are ${String(firsts.length)} and ${String(seconds.length)}`,
    );
  }
  return firsts.map((value, index) => [value, seconds[index]]);
}
