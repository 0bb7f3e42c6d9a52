/** What can happen to a connected pair, and in which order: generated, shrunk and printed. */
import fc from 'fast-check';

/** When a step happens, seen from the one before it. */
export type Moment = 'at once' | 'microtask' | 'nextTick' | 'immediate' | number;

export type Side = 'a' | 'b';

/** One thing that somebody does to an end of the connection. */
export type Action =
  | { readonly do: 'write'; readonly size: number; readonly reuse: boolean }
  | { readonly do: 'cork'; readonly sizes: readonly number[] }
  | { readonly do: 'end'; readonly size: number }
  | { readonly do: 'close'; readonly code: number }
  | { readonly do: 'read'; readonly size: number }
  | { readonly do: 'iterate'; readonly chunks: number }
  | { readonly do: 'encode'; readonly encoding: 'hex' | 'latin1' }
  | { readonly do: 'fragments'; readonly count: number }
  | { readonly do: 'setTimeout'; readonly ms: number }
  | { readonly do: Plain };

type Plain =
  | 'abort'
  | 'destroy'
  | 'destroySoon'
  | 'fail'
  | 'garbage'
  | 'pause'
  | 'ping'
  | 'pings'
  | 'pipe'
  | 'ref'
  | 'resetAndDestroy'
  | 'resume'
  | 'terminate'
  | 'text'
  | 'unpipe'
  | 'unref';

/** One thing that happens to the line between the ends. */
export type Fault = 'fin' | 'rst' | 'stall up' | 'stall down' | 'flow';

export type Step = { readonly when: Moment } & (
  { readonly side: Side; readonly action: Action } | { readonly fault: Fault }
);

/** Options of both ends. */
export interface Settings {
  readonly allowHalfOpen: boolean;
  readonly halfClose: boolean | undefined;
  readonly tcpEndIsEof: boolean;
  readonly keepalive: boolean;
  readonly highWaterMark: number | undefined;
  /** Whether the ends read from the start; else somebody has to tell them to. */
  readonly reading: boolean;
  /** Bytes a second of the line; undefined for as fast as it goes. */
  readonly rate: number | undefined;
  /** Whether the steps begin while the end that dials is still connecting. */
  readonly early: boolean;
}

export interface History {
  readonly settings: Settings;
  readonly steps: readonly Step[];
}

const size = fc.oneof(
  { weight: 1, arbitrary: fc.constant(0) },
  { weight: 6, arbitrary: fc.integer({ min: 1, max: 200 }) },
  { weight: 4, arbitrary: fc.integer({ min: 201, max: 70_000 }) },
  { weight: 1, arbitrary: fc.integer({ min: 70_001, max: 1_048_576 }) },
);

const moment: fc.Arbitrary<Moment> = fc.oneof(
  { weight: 4, arbitrary: fc.constant<Moment>('at once') },
  { weight: 1, arbitrary: fc.constant<Moment>('microtask') },
  { weight: 1, arbitrary: fc.constant<Moment>('nextTick') },
  { weight: 3, arbitrary: fc.constant<Moment>('immediate') },
  { weight: 3, arbitrary: fc.integer({ min: 0, max: 6 }) },
);

/** What leaves a connection whole: bytes, looks, ends in order. */
const gentle: fc.WeightedArbitrary<Action>[] = [
  { weight: 10, arbitrary: fc.record({ do: fc.constant('write'), size, reuse: fc.boolean() }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('cork'), sizes: fc.array(size, { maxLength: 4 }) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('end'), size }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('read'), size: fc.integer({ min: 1, max: 100_000 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('encode'),
      encoding: fc.constantFrom('hex', 'latin1'),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('setTimeout'), ms: fc.integer({ min: 0, max: 20 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('fragments'), count: fc.integer({ min: 2, max: 5 }) }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constantFrom<Plain[]>(
        'pause',
        'ping',
        'pings',
        'pipe',
        'ref',
        'resume',
        'unpipe',
        'unref',
      ),
    }),
  },
];

/** What ends a connection early, or breaks it. */
const rough: fc.WeightedArbitrary<Action>[] = [
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('close'),
      code: fc.constantFrom(1000, 1000, 1001, 1011, 4000),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('iterate'), chunks: fc.integer({ min: 1, max: 3 }) }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom<Plain[]>(
        'abort',
        'destroy',
        'destroySoon',
        'fail',
        'garbage',
        'resetAndDestroy',
        'terminate',
        'text',
      ),
    }),
  },
];

const settings: fc.Arbitrary<Settings> = fc.record({
  allowHalfOpen: fc.boolean(),
  halfClose: fc.constantFrom(undefined, undefined, false),
  tcpEndIsEof: fc.boolean(),
  keepalive: fc.boolean(),
  highWaterMark: fc.constantFrom(undefined, 1, 1_000, 16_384),
  reading: fc.boolean(),
  rate: fc.constantFrom(undefined, undefined, undefined, 20_000_000),
  early: fc.boolean(),
});

function historiesOf(
  actions: fc.WeightedArbitrary<Action>[],
  faults: readonly Fault[],
  more: Partial<Settings> = {},
): fc.Arbitrary<History> {
  const side = fc.constantFrom<Side[]>('a', 'b');
  const onEnd = fc.record({ when: moment, side, action: fc.oneof(...actions) });
  const onLine = fc.record({ when: moment, fault: fc.constantFrom(...faults) });
  const step: fc.Arbitrary<Step> = fc.oneof(
    { weight: 12, arbitrary: onEnd },
    { weight: 1, arbitrary: onLine },
  );
  return fc.record({
    settings: settings.map((one) => ({ ...one, ...more })),
    steps: fc.array(step, { minLength: 1, maxLength: 16 }),
  });
}

/** Nobody breaks anything: all that is sent arrives, and both ends end without an error. */
export const peaceful = historiesOf(gentle, ['flow'], {
  halfClose: undefined,
  keepalive: false,
});

/** Everything may happen. */
export const violent = historiesOf(
  [...gentle, ...rough],
  ['fin', 'rst', 'stall up', 'stall down', 'flow'],
);

/** Returns a history as lines that a person can follow. */
export function show({ settings, steps }: History): string {
  const shown = steps.map((step) => {
    const when = typeof step.when === 'number' ? `after ${String(step.when)} ms` : step.when;
    return 'fault' in step
      ? `  ${when}: the line: ${step.fault}`
      : `  ${when}: ${step.side}: ${JSON.stringify(step.action)}`;
  });
  return [`  options ${JSON.stringify(settings)}`, ...shown].join('\n');
}
