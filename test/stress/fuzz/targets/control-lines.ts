/** Lines of revdial's control connection: JSON, and what looks like it. */
import fc from 'fast-check';

import {
  type ControlMessage,
  formatMessage,
  MAX_LINE_BYTES,
  MessageReader,
} from '../../../../src/revdial/messages.ts';
import { garbage, inputsOf } from '../inputs.ts';
import { check, checkKnown, few, type Input, kindOf, type Target } from '../target.ts';

const command = fc.oneof(
  fc.constantFrom('keep-alive', 'conn-ready', 'pickup-failed', '', '__proto__'),
  fc.string({ maxLength: 10 }),
);
const connPath = fc.oneof(
  fc.constantFrom(
    '/ssh/revdial?revdial.dialer=00ff&uuid=1-2',
    '/',
    '//evil.example/x',
    '/\\evil.example',
    'http://evil.example/',
    '/a#b',
    '/\t/evil.example',
    '',
  ),
  fc.string({ maxLength: 20 }).map((text) => `/${text}`),
  fc.string({ unit: 'binary', maxLength: 10 }),
);
const message = fc
  .record({ command, connPath, err: fc.string({ unit: 'binary', maxLength: 10 }) })
  .map(formatMessage);
const odd = fc
  .record({
    command: fc.oneof(command, fc.jsonValue({ maxDepth: 1 })),
    connPath: fc.option(connPath),
    err: fc.jsonValue({ maxDepth: 1 }),
  })
  .map((line) => `${JSON.stringify(line)}\n`);
const json = fc.json({ maxDepth: 2 }).map((line) => `${line}\n`);
const long = fc
  .integer({ min: MAX_LINE_BYTES - 3, max: MAX_LINE_BYTES + 3 })
  .map((length) => `${'{}'.padEnd(length - 1)}\n`);

/** One line, or bytes that are none. */
export const controlBytes: fc.Arbitrary<Buffer> = fc.oneof(
  { weight: 10, arbitrary: message.map((line) => Buffer.from(line)) },
  { weight: 3, arbitrary: odd.map((line) => Buffer.from(line)) },
  { weight: 1, arbitrary: json.map((line) => Buffer.from(line)) },
  { weight: 1, arbitrary: long.map((line) => Buffer.from(line)) },
  { weight: 1, arbitrary: garbage },
  { weight: 1, arbitrary: fc.constant(Buffer.from('\n')) },
);

/** What a reader comes to: the messages, and what is wrong behind them. */
interface Lines {
  readonly messages: readonly ControlMessage[];
  readonly error: Error | null;
}

/** Reads all at once: whole lines, each of which is a JSON object of strings. */
function oracle(bytes: Buffer): { readonly messages: readonly ControlMessage[]; fails: boolean } {
  const messages: ControlMessage[] = [];
  const lines = bytes.toString('latin1').split('\n');
  const rest = lines.pop() ?? '';
  for (const line of lines) {
    if (line.length + 1 > MAX_LINE_BYTES) return { messages, fails: true };
    try {
      const value = JSON.parse(Buffer.from(line, 'latin1').toString()) as unknown;
      if (Object.prototype.toString.call(value) !== '[object Object]')
        return { messages, fails: true };
      const keys = value as Partial<Record<keyof ControlMessage, unknown>>;
      const all = [keys.command, keys.connPath, keys.err].map((one) => one ?? '');
      if (all.some((one) => typeof one !== 'string')) return { messages, fails: true };
      const [first = '', second = '', third = ''] = all as string[];
      messages.push({ command: first, connPath: second, err: third });
    } catch {
      return { messages, fails: true };
    }
  }
  return { messages, fails: rest.length + 1 > MAX_LINE_BYTES };
}

function read(chunks: Iterable<Buffer>): Lines {
  const reader = new MessageReader();
  const messages: ControlMessage[] = [];
  try {
    for (const chunk of chunks) for (const one of reader.read(chunk)) messages.push(one);
  } catch (error) {
    return { messages, error: error as Error };
  }
  return { messages, error: null };
}

function run({ chunks }: Input): string[] {
  const bytes = Buffer.concat(chunks);
  const expected = oracle(bytes);
  const found = read(chunks);
  for (const lines of [found, read([bytes]), read(Array.from(bytes, (byte) => Buffer.of(byte)))]) {
    const same = JSON.stringify(lines.messages) === JSON.stringify(expected.messages);
    check(same, 'the reader finds the messages that the simple one finds');
    check((lines.error !== null) === expected.fails, 'the reader fails where the simple one does');
  }
  if (found.error) checkKnown(found.error);
  const known = /^(keep-alive|conn-ready|pickup-failed)$/;
  const commands = new Set(
    found.messages.map((one) => (known.test(one.command) ? one.command : 'other')),
  );
  return [few(found.messages.length), [...commands].sort().join(' '), kindOf(found.error)];
}

export const controlLines: Target = {
  name: 'revdial-lines',
  weight: 1,
  inputs: inputsOf(controlBytes, 5),
  run,
};
