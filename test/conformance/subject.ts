import type net from 'node:net';

import { onTestFinished } from 'vitest';

import type { Dialler, Pair, PairOptions } from '../support/pairs/pairs.ts';

/**
 * One end of a connection: a net.Socket, or what behaves as one and may have a close() and a ping()
 * besides.
 */
export type End = net.Socket & { close?(): Promise<Error | null>; ping?(): unknown };

/** Makes a connected pair; the options are for both ends, but for `signal`, which is for `a`. */
export type MakePair = (options?: PairOptions) => Promise<Pair<End>>;

/** Makes a place to connect to, for the cases that need an end which is still connecting. */
export type MakeDialler = () => Promise<Dialler<End>>;

/**
 * What the ends of a pair can do beyond, or short of, each other: cases that ask for it are
 * skipped, or look for the other behaviour.
 */
export interface Features {
  /**
   * `end()` ends one direction and leaves the other open; else it ends both, and the peer's answer
   * is lost.
   */
  readonly halfClose: boolean;
  /**
   * `destroy(error)`, and `destroy()` with bytes unsent, shows the peer `ECONNRESET`; else it looks
   * like an end.
   */
  readonly cutIsReset: boolean;
  /** There is a `close()` that resolves with the first error. */
  readonly close: boolean;
  /** `await using` closes. */
  readonly asyncDispose: boolean;
  /** The option `signal` destroys with an AbortError. */
  readonly signal: boolean;
  /** Both ends have addresses, and one's remote is the other's local one. */
  readonly addresses: boolean;
  /**
   * Fifty calls of `destroySoon()`, or of `ref()` after the end, bring Node's warning of too many
   * listeners, as in net.Socket.
   */
  readonly warnsOfManyCallers?: boolean;
  /**
   * A write that `destroy()` loses sets `errored`, though no 'error' comes and 'close' says that
   * there was none: net.Socket does so since Node 22, by ECANCELED.
   */
  readonly lostWritesSetErrored?: boolean;
  /** What is written while it is connecting may be sent before 'connect'. */
  readonly sendsEarly?: boolean;
  /**
   * Bytes of the largest stretch that an unread connection may take in, at both ends and between
   * them.
   */
  readonly mostBuffered: number;
}

/** What the cases run on. */
export interface Subject {
  readonly makePair: MakePair;
  readonly features: Features;
  readonly makeDialler?: MakeDialler | undefined;
}

/** Makes a pair that is stopped when the test is over. */
export async function connected(subject: Subject, options?: PairOptions): Promise<Pair<End>> {
  const pair = await subject.makePair(options);
  onTestFinished(() => pair.stop());
  return pair;
}
