import { isScalar } from 'yaml';

import { showGiven } from '../console/secrets.ts';
import type { OptionSpec } from '../options/options.ts';

/** What options that take a number call it in the help. */
const NUMBERS: Readonly<Record<string, { readonly form: RegExp; readonly words: string }>> = {
  SECONDS: { form: /^\d*\.?\d+$/, words: 'seconds' },
  NUMBER: { form: /^\d+$/, words: 'a whole number' },
  BYTES: { form: /^\d+$/, words: 'a number of bytes' },
};

/** The value of an option as a command line has it, or what is wrong with it. */
export type Text = { readonly value: string | undefined } | { readonly problem: string };

/** Reads the value of an option: text, a number, or true and false. */
export function textOf(node: unknown, name: string, spec: OptionSpec): Text {
  if (!isScalar(node)) return { problem: `${name} needs ${spec.value ?? 'true or false'}` };
  const { value, source = '' } = node;
  if (value === null || value === '') {
    return { problem: `${name} has no value: give it one, or leave it out` };
  }
  if (spec.value === undefined) {
    if (typeof value === 'boolean') return { value: value ? 'yes' : undefined };
    return { problem: `${name} must be true or false${butIs(source, spec)}` };
  }
  if (typeof value === 'boolean') return { problem: `${name} needs ${spec.value}, not ${source}` };
  // A number as it is written, where that is plain: 1.10 is no 1.1 in a name.
  if (typeof value === 'string') return check(value, name, spec);
  return check(/^[\d.]+$/.test(source) ? source : String(Number(value)), name, spec);
}

function check(text: string, name: string, spec: OptionSpec): Text {
  const { value: wanted = '' } = spec;
  const choices = wanted.includes('|') ? wanted.split('|') : undefined;
  if (choices && !choices.includes(text)) {
    return { problem: `${name} must be ${choices.join(' or ')}${butIs(text, spec)}` };
  }
  const number = NUMBERS[wanted];
  if (number && !number.form.test(text)) {
    return { problem: `${name} must be ${number.words}${butIs(text, spec)}` };
  }
  return { value: text };
}

function butIs(text: string, { secret = false }: OptionSpec): string {
  return secret ? '' : `, but is ${showGiven(text)}`;
}
