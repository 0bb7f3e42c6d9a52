import { MAX_DELAY } from '../base/check-option.ts';

/**
 * Pings of the peer that may wait for their pongs to leave. After a pause of the reader all that
 * came meanwhile are answered at once, and ws terminates over so many (60 by its own default): this
 * is a day of pings every 5 s. A pong that waits takes some 200 bytes, so a peer that floods gets 4
 * MB of this side.
 */
const MAX_PENDING_PONGS = 17_280;

/**
 * Limits of ws that connect() and createServer() lift, since the adapter has its own, which tell
 * slowness from silence.
 */
export const WS_LIMITS = {
  /** ws would cut, 30 s after Close, a reader that is slow to get to the end. */
  closeTimeout: MAX_DELAY,
  maxPendingAutoPongs: MAX_PENDING_PONGS,
} as const;

/**
 * Default of `maxPayload` for connect() and createServer(): sixteen times the largest message that
 * this package sends, so that peers with larger ones get through too.
 */
export const DEFAULT_MAX_PAYLOAD = 1_048_576;
/** Largest `maxPayload`, which ws keeps in 32 bits with a sign. */
export const LARGEST_MAX_PAYLOAD = 2 ** 31 - 1;

/** Bytes of the smallest TCP segment that is usual (RFC 9293, section 3.7.1), halved. */
const SMALL_CHUNK = 256;

/**
 * Returns how many parts of a message ws may keep as they came, where the largest has `maxPayload`
 * bytes. By its own default, 262,144, bytes that come one by one take hundreds of times their size.
 */
export function maxBufferedChunks(maxPayload: number): number {
  return Math.min(Math.max(Math.ceil(maxPayload / SMALL_CHUNK), 1_024), 262_144);
}

/** Returns how many fragments a message may have, likewise; ws's own default is 16,384. */
export function maxFragments(maxPayload: number): number {
  return Math.min(Math.max(Math.ceil(maxPayload / SMALL_CHUNK), 1_024), 16_384);
}
