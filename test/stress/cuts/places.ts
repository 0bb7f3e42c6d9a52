/** Where connections are cut: each byte of a short exchange, and random bytes of a transfer. */
import type { Direction } from '../../support/links/link.ts';
import type { Settings, Side } from '../model/history.ts';
import { random } from './random.ts';

/** What the two ends say to each other, unless they are cut. */
export interface Exchange {
  /** Name of the kind of connection, as the model test has it. */
  readonly kind: string;
  readonly halfClose: boolean | undefined;
  /** Whether an end of TCP is an 'end', where half close is not agreed on. */
  readonly tcpEndIsEof: boolean;
  /** The end that ends its direction, when it has read what the other sends until then. */
  readonly endsFirst: Side;
  /** Bytes that each end writes when it comes to be. */
  readonly sizes: Readonly<Record<Side, number>>;
  /** Bytes that the other end writes after it has seen the first one's end. */
  readonly reply: number;
  /** Bytes of the largest write. */
  readonly chunk: number;
  readonly highWaterMark?: number | undefined;
  /** Whether the readers pause now and then, so that bytes are unread when the cut comes. */
  readonly pauses: boolean;
}

export interface Cut {
  readonly exchange: Exchange;
  readonly at: number;
  readonly direction: Direction;
  readonly how: 'fin' | 'rst';
}

/** Frames of both lengths that a small message may have, with an end and a reply behind them. */
const SHORT = { sizes: { a: 40, b: 150 }, reply: 20, chunk: 100, pauses: false };
const KINDS = [
  { kind: 'connect', halfClose: undefined, tcpEndIsEof: false },
  { kind: 'connect', halfClose: undefined, tcpEndIsEof: true },
  { kind: 'connect', halfClose: false, tcpEndIsEof: false },
  { kind: 'yamux over the adapter', halfClose: undefined, tcpEndIsEof: false },
  { kind: 'yamux over TCP', halfClose: undefined, tcpEndIsEof: false },
  { kind: 'chain', halfClose: undefined, tcpEndIsEof: false },
];
const MAX_TRANSFER = 300_000;
const MAX_CHUNK = 100_000;
const WATER_MARKS = [undefined, undefined, 1, 1_000];

/** The exchanges of which each byte is a place to be cut. */
export const SHORT_EXCHANGES: readonly Exchange[] = KINDS.flatMap((kind) =>
  (['a', 'b'] as const).map((endsFirst) => ({
    ...SHORT,
    ...kind,
    endsFirst,
    // An end without half close leaves nobody to reply to.
    reply: kind.halfClose === false ? 0 : SHORT.reply,
  })),
);

/** Bytes that went each way while an exchange was not cut. */
export type Passed = Readonly<Record<Direction, number>>;

/** Returns each place of an exchange, in the order of its bytes. */
export function placesOf(exchange: Exchange, passed: Passed): Cut[] {
  return (['up', 'down'] as const).flatMap((direction) =>
    Array.from({ length: passed[direction] }, (_, i) => i + 1).flatMap((at) =>
      (['fin', 'rst'] as const).map((how) => ({ exchange, at, direction, how })),
    ),
  );
}

/** Returns a cut somewhere in a transfer: the same for the same seed. */
export function randomCut(seed: number): Cut {
  const next = random(seed);
  const upTo = (most: number): number => 1 + Math.floor(next() * most);
  const oneOf = <T>(all: readonly T[]): T => all[upTo(all.length) - 1] as T;
  const base = oneOf(SHORT_EXCHANGES);
  const exchange: Exchange = {
    ...base,
    sizes: { a: upTo(MAX_TRANSFER), b: upTo(MAX_TRANSFER) },
    reply: base.reply === 0 ? 0 : upTo(MAX_TRANSFER),
    chunk: upTo(MAX_CHUNK),
    highWaterMark: oneOf(WATER_MARKS),
    pauses: oneOf([true, false]),
  };
  const direction = oneOf(['up', 'down'] as const);
  const { a, b } = exchange.sizes;
  return {
    exchange,
    at: upTo(direction === 'up' ? a : b),
    direction,
    how: oneOf(['fin', 'rst'] as const),
  };
}

/** Returns the options of both ends of an exchange. */
export function settingsOf({ halfClose, highWaterMark, tcpEndIsEof }: Exchange): Settings {
  return {
    allowHalfOpen: true,
    halfClose,
    tcpEndIsEof,
    keepalive: false,
    highWaterMark,
    reading: true,
    rate: undefined,
    early: true,
  };
}
