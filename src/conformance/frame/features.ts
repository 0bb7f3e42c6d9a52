/**
 * Says which promises a stream makes beyond those of every stream that is connected to another one.
 *
 * - `true`: it is claimed. Its cases have to pass.
 * - `false`: it is not there. Its cases are left out.
 * - Left out: nothing is said. `describeSocket()` skips its cases, with the reason; `checkSocket()`
 *   tries them, and reports whether the promise is kept.
 */
export interface SocketFeatures {
  /** `end()` ends one direction and leaves the other one open. */
  readonly halfClose?: boolean;
  /**
   * `end()` ends both directions, and what the peer writes after it fails with `EPIPE`: what is
   * left to promise without half close.
   */
  readonly endsBoth?: boolean;
  /** `destroy(error)`, and `destroy()` with bytes unsent, is `ECONNRESET` for the peer, never an 'end'. */
  readonly cuts?: boolean;
  /** `resetAndDestroy()` is `ECONNRESET` for the peer. */
  readonly reset?: boolean;
  /** `destroySoon()` sends what was written, ends, and closes. */
  readonly destroySoon?: boolean;
  /** `setTimeout()` makes 'timeout' come when no bytes have moved for that long. */
  readonly idleTimeout?: boolean;
  /**
   * The other properties and methods of net.Socket: `connecting`, `readyState`, `bytesRead`,
   * `setNoDelay()`, `ref()`, …, and 'close' says whether there was an error.
   */
  readonly face?: boolean;
  /** Both ends have addresses of IPv4, and what is remote for one is local for the other. */
  readonly addresses?: boolean;
  /** After 'close', `errored` is the error of 'error', or null where none came. */
  readonly errored?: boolean;
  /** Fifty calls of one method bring no warning of too many listeners. */
  readonly fewListeners?: boolean;
  /** Callbacks of writes made while connecting come after 'connect'. */
  readonly connectFirst?: boolean;
  /** `close()` ends in order and resolves, after 'close', with the first error or null. */
  readonly close?: boolean;
  /** `await using` sends what was written and closes in order. */
  readonly asyncDispose?: boolean;
  /** The option `signal` destroys the end with an AbortError. */
  readonly signal?: boolean;
}

/** What a case may ask for: a feature, or a dialler. */
export type Need = keyof SocketFeatures | 'dialler';

const NODE = Number(process.versions.node.split('.')[0]);

/**
 * What net.Socket itself promises on this version of Node. A stream that is to take its place
 * claims the same, or says what is different: `{ ...NET_SOCKET, halfClose: false }`.
 */
export const NET_SOCKET: SocketFeatures = {
  halfClose: true,
  endsBoth: false,
  reset: true,
  destroySoon: true,
  idleTimeout: true,
  face: true,
  addresses: true,
  // From Node 22 on, a write that destroy() loses leaves its ECANCELED there.
  errored: NODE < 22,
  connectFirst: true,
  signal: true,
};

/** Methods without which a feature cannot be tried. */
const METHODS: readonly (readonly [Need, PropertyKey])[] = [
  ['reset', 'resetAndDestroy'],
  ['destroySoon', 'destroySoon'],
  ['idleTimeout', 'setTimeout'],
  ['face', 'setNoDelay'],
  ['addresses', 'address'],
  ['close', 'close'],
  ['asyncDispose', Symbol.asyncDispose],
];

/** Returns, by feature, the method that an end would need for it and has not. */
export function missingMethods(end: object): ReadonlyMap<Need, string> {
  const missing = METHODS.filter(
    ([, name]) => typeof (end as Record<PropertyKey, unknown>)[name] !== 'function',
  );
  return new Map(missing.map(([need, name]) => [need, String(name)]));
}
