const FIRST = 1_000;
/** Well below the time for which the server keeps a shell. */
const MOST = 10_000;

/**
 * Returns the time in ms to wait before the next try, after so many in vain: twice as long each
 * time, and up to half of it taken off, so that the pages of a server that was away do not all come
 * at once.
 */
export function delayAfter(tries: number, random = Math.random()): number {
  return Math.min(MOST, FIRST * 2 ** tries) * (1 - random / 2);
}
