import type net from 'node:net';
import type { Duplex } from 'node:stream';

import type { SocketFeatures } from './features.ts';

/** What a pair is made with. Whoever makes it passes on what its streams know, and leaves the rest. */
export interface PairOptions {
  /**
   * For both ends: whether an end stays writable when its peer has ended.
   *
   * @default false, as in net.Socket
   */
  readonly allowHalfOpen?: boolean;
  /**
   * For the end `a` only. Streams that do not take one leave it, and say `signal: false`.
   *
   * @default none
   */
  readonly signal?: AbortSignal;
}

/** Two ends that are connected to each other: what one writes, the other reads. */
export interface SocketPair {
  /** One end: the one that dialled, where it matters which. */
  readonly a: Duplex;
  /** The other end. */
  readonly b: Duplex;
  /**
   * Destroys what is left of both ends, and resolves when nothing is left. It is called once after
   * each case, whatever has become of the ends. Without it both ends are destroyed.
   */
  readonly stop?: () => Promise<void> | void;
}

/** Makes a new connected pair, once or more for each case. */
export type MakePair = (options?: PairOptions) => Promise<SocketPair> | SocketPair;

/** Somewhere to connect to, for the cases on ends that are still connecting. */
export interface SocketDialler {
  /**
   * Returns a new end at once, still connecting. What it connects to reads to the end what it gets,
   * and then ends too.
   */
  readonly open: (options?: PairOptions) => Duplex;
  /** Destroys all ends, and resolves when nothing is left. It is called once after each case. */
  readonly stop?: () => Promise<void> | void;
}

/** Makes a place to connect to. */
export type MakeDialler = () => Promise<SocketDialler> | SocketDialler;

/**
 * An end as the cases use it: as a net.Socket, which it may be or behave as, with a close() and a
 * ping() that it may have.
 */
export type End = net.Socket & { close?(): Promise<Error | null>; ping?(): unknown };

/** What the cases run on. */
export interface Subject {
  readonly makePair: MakePair;
  readonly makeDialler: MakeDialler | undefined;
  readonly features: SocketFeatures;
  readonly mostBuffered: number;
  readonly timeLimit: number;
}
