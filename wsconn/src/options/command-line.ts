import { parseArgs } from 'node:util';

import { usageFailure } from '../console/failure.ts';
import { nearest } from '../console/nearest.ts';
import { showGiven } from '../console/secrets.ts';
import type { OptionSpecs } from './option-spec.ts';

/**
 * Reads the options and arguments of a command line.
 * @param names - names of the arguments, in their order
 * @param order - gets the name of each option, in the order of the command line
 * @throws Failure for one that there is not, or that lacks its value
 */
export function fromCommandLine(
  args: readonly string[],
  specs: OptionSpecs,
  names: readonly string[],
  order: string[],
): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const token of tokensOf(args, specs)) {
    if (token.kind === 'option-terminator') continue;
    const [name, value] =
      token.kind === 'positional'
        ? [checkArgument(names, token.value, found), token.value]
        : checkOption(token, specs, found);
    found.set(name, [...(found.get(name) ?? []), value]);
    order.push(name);
  }
  return found;
}

type Token = ReturnType<typeof tokensOf>[number];

function tokensOf(args: readonly string[], specs: OptionSpecs) {
  const types = Object.entries(specs).map(([name, { value }]) => {
    return [name, { type: value === undefined ? 'boolean' : 'string' }] as const;
  });
  return parseArgs({
    args: [...args],
    options: { ...Object.fromEntries(types), help: { type: 'boolean', short: 'h' } },
    strict: false,
    allowPositionals: true,
    tokens: true,
  }).tokens;
}

function checkArgument(
  names: readonly string[],
  value: string,
  found: ReadonlyMap<string, string[]>,
): string {
  const argument = names.find((name) => !found.has(name));
  if (argument === undefined) {
    throw usageFailure(`${showGiven(value)} is one argument too many: options begin with --`);
  }
  return argument;
}

function checkOption(
  token: Extract<Token, { kind: 'option' }>,
  specs: OptionSpecs,
  found: ReadonlyMap<string, string[]>,
): [name: string, value: string] {
  const { name, rawName, value, inlineValue } = token;
  const spec = Object.hasOwn(specs, name) ? specs[name] : undefined;
  if (!spec) throw unknownOption(rawName, name, Object.keys(specs));
  if (spec.value === undefined) {
    if (value !== undefined)
      throw usageFailure(`${rawName} takes no value: leave ${showGiven(`=${value}`)} off`);
    return [name, 'yes'];
  }
  if (value === undefined || value === '') {
    throw usageFailure(`${rawName} needs a value: ${rawName} ${spec.value}`);
  }
  if (!inlineValue && value.startsWith('--')) {
    // The value was forgotten; one that does begin like this is written with an equals sign.
    throw usageFailure(
      `${rawName} needs a value, but ${showGiven(value)} follows: ${rawName} ${spec.value}`,
    );
  }
  if (found.has(name) && !spec.multiple)
    throw usageFailure(`${rawName} was given twice: give it once`);
  return [name, value];
}

function unknownOption(rawName: string, name: string, names: readonly string[]): Error {
  const meant = nearest(name, names);
  const hint = meant === undefined ? 'see --help for those there are' : `did you mean --${meant}?`;
  return usageFailure(`there is no option ${rawName}: ${hint}`);
}
