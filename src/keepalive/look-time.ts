/** Share of the interval by which a look comes early: from the least to the most. */
const EARLY = { least: 0.05, most: 0.2 };
/**
 * How many times there are from the least to the most. Node keeps a list of timers for each delay,
 * some 400 bytes: with few of them connections share those lists.
 */
const EARLY_STEPS = 64;

/**
 * Returns the time in ms from now to the next look: less than the interval, and not the same for
 * all connections that were made together.
 */
export function timeToLook(interval: number): number {
  const step = Math.floor(Math.random() * (EARLY_STEPS + 1)) / EARLY_STEPS;
  return interval * (1 - EARLY.least - (EARLY.most - EARLY.least) * step);
}
