/** Both sides of multistream-select, under a peer that may say anything, or nothing. */
import { codeOf } from '../../../../src/base/errors.ts';
import { formatLine, formatList, HEADER } from '../../../../src/multistream/line.ts';
import { handle, select } from '../../../../src/multistream/index.ts';
import { inputsOf } from '../inputs.ts';
import { bits, check, checkKnown, few, type Input, kindOf, type Target } from '../target.ts';
import { KNOWN, lineBytes, type Lines, oracle } from './multistream-lines.ts';
import { bringAll, turn, Wire } from './wire.ts';

const MAX_PROPOSALS = 5;
/** Time in ms after which silence fails, where the peer does not end. */
const SILENCE = 2;

/** What a side should come to: the protocol or a code, and what it says on the way. */
interface Outcome {
  readonly protocol?: string;
  /** Where the payload begins. */
  readonly end?: number;
  /** Undefined where it waits for more. */
  readonly code?: string | undefined;
  readonly says: Buffer;
}

const latin1 = (name: string): string => Buffer.from(name).toString('latin1');

/** Answers line by line, as the specification has it. */
function answering({ lines, fails }: Lines): Outcome {
  const said = [formatLine(HEADER)];
  const outcome = (rest: Omit<Outcome, 'says'>): Outcome => ({
    ...rest,
    says: Buffer.concat(said),
  });
  const [header, ...proposals] = lines;
  if (header && header.text !== HEADER) return outcome({ code: 'EPROTO' });
  for (const { text, end } of proposals.slice(0, MAX_PROPOSALS)) {
    const protocol = KNOWN.find((name) => latin1(name) === text);
    if (protocol !== undefined) {
      said.push(formatLine(protocol));
      return outcome({ protocol, end });
    }
    if (text === 'ls') said.push(formatList(KNOWN));
    else said.push(formatLine(text === HEADER ? HEADER : 'na'));
  }
  if (proposals.length >= MAX_PROPOSALS) return outcome({ code: 'EPROTONOSUPPORT' });
  return outcome({ code: fails });
}

/** Proposes line by line, as the specification has it. */
function proposing({ lines, fails }: Lines, names: readonly string[], early: Buffer): Outcome {
  const [first = '', ...others] = names;
  const said = [formatLine(HEADER), formatLine(first), early];
  const outcome = (rest: Omit<Outcome, 'says'>): Outcome => ({
    ...rest,
    says: Buffer.concat(said),
  });
  const [header, ...answers] = lines;
  if (header && header.text !== HEADER) return outcome({ code: 'EPROTO' });
  const left = [...others];
  let protocol = first;
  for (const { text, end } of answers) {
    if (text === latin1(protocol)) return outcome({ protocol, end });
    if (text !== 'na') return outcome({ code: 'EPROTO' });
    const another = left.shift();
    if (another === undefined) return outcome({ code: 'EPROTONOSUPPORT' });
    said.push(formatLine(another));
    protocol = another;
  }
  return outcome({ code: fails });
}

async function run(input: Input): Promise<string[]> {
  const said: Buffer[] = [];
  const wire = new Wire((chunk) => said.push(Buffer.from(chunk)));
  const bytes = Buffer.concat(input.chunks);
  const lines = oracle(bytes);
  const selects = bits(input, 0) === 1;
  const names = bits(input, 1) === 1 ? KNOWN : KNOWN.slice(2);
  const early = Buffer.from(names.length === 1 && bits(input, 2) === 1 ? 'early' : '');
  const expected = selects ? proposing(lines, names, early) : answering(lines);
  // The last two: nothing more comes, and somebody gives up or the time is over.
  const ending = (['FIN', 'reset', 'abort', 'silence'] as const)[bits(input, 3, 2)] ?? 'FIN';
  const abort = new AbortController();
  const options = {
    signal: abort.signal,
    ...(ending === 'silence' ? { timeout: SILENCE } : {}),
  };

  const running: Promise<{ readonly protocol: string }> = selects
    ? select(wire, names, { ...options, ...(early.length > 0 ? { firstBytes: early } : {}) })
    : handle(wire, KNOWN, { ...options, maxProposals: MAX_PROPOSALS });
  let result: { protocol?: string; error?: Error } | undefined;
  const settled = running.then(
    ({ protocol }): typeof result => (result = { protocol }),
    (error: unknown): typeof result => (result = { error: error as Error }),
  );
  await bringAll(wire, input.chunks, bits(input, 5) === 1);
  await turn();

  const decided = expected.protocol !== undefined || expected.code !== undefined;
  const timedOut = ending === 'silence' && codeOf(result?.error) === 'ETIMEDOUT';
  check(timedOut || (result !== undefined) === decided, 'it decides as soon as it can');
  if (result === undefined) {
    if (ending === 'abort') abort.abort();
    else if (ending !== 'silence') wire.bringEnd(ending);
  }
  const { protocol, error } = (await settled) ?? {};
  await turn();

  if (!timedOut && decided) {
    check(protocol === expected.protocol, 'it agrees on what the simple one agrees on');
    check(codeOf(error) === expected.code, 'it fails with the code of the simple one');
  }
  if (!timedOut && decided && expected.end !== undefined) {
    // Without a size Node 26 reads one chunk of several.
    const rest = (wire.read(wire.readableLength) as Buffer | null) ?? Buffer.alloc(0);
    check(rest.equals(bytes.subarray(expected.end)), 'not one byte of payload is lost');
  }
  const says = Buffer.concat(said);
  check(timedOut || says.equals(expected.says), 'it says what the simple one says');
  const fatal = codeOf(error) === 'EPROTO' || codeOf(error) === 'EMSGSIZE';
  if (fatal) check(wire.destroyed && wire.errored === error, 'it destroys a broken stream');
  else if (ending !== 'reset') check(!wire.destroyed || ending === 'FIN', 'it leaves the stream');
  if (error && codeOf(error) !== 'ABORT_ERR') checkKnown(error);
  for (const name of ['data', 'readable', 'error', 'drain'])
    check(wire.listenerCount(name) === 0, `no listener of '${name}' is left`);
  wire.destroy();
  await turn();
  const side = selects ? 'select' : 'handle';
  return [`${side}: ${protocol ?? kindOf(error)}`, `${few(lines.lines.length)} lines, ${ending}`];
}

export const multistream: Target = {
  name: 'multistream',
  weight: 1,
  inputs: inputsOf(lineBytes, 8),
  run,
};
