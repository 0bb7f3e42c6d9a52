/** Memory of this process, looked at again and again while it works. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { check } from './case.ts';

const KIB = 1024;
const MIB = KIB * KIB;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

interface Sample {
  /** What was done by then. */
  readonly at: number;
  readonly rss: number;
  readonly heap: number;
  readonly outside: number;
}

/** Fits a line by least squares; returns its slope and the standard error of that. */
export function slopeOf(points: readonly (readonly [number, number])[]): {
  readonly slope: number;
  readonly error: number;
} {
  const n = points.length;
  if (n < 3) return { slope: 0, error: Infinity };
  const meanX = points.reduce((sum, [x]) => sum + x, 0) / n;
  const meanY = points.reduce((sum, [, y]) => sum + y, 0) / n;
  const squares = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
  const slope = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0) / squares;
  const rest = points.reduce((sum, [x, y]) => sum + (y - meanY - slope * (x - meanX)) ** 2, 0);
  return { slope, error: Math.sqrt(rest / (n - 2) / squares) };
}

/** Bytes that one of what is done leaves behind, at which the heap counts as growing. */
const HEAP_LIMIT = 100;
/** The same for all memory: an allocator that settles must not count. */
const RSS_LIMIT = 2_000;
/** Growth below this is the noise of a heap. */
const HEAP_NOISE = 4 * MIB;
/** Growth below this is an allocator that has not seen its largest load yet. */
const RSS_NOISE = 48 * MIB;
/** Standard errors that a slope must be away from the limit. */
const SURE = 3;

/** Samples what is in use, and tells whether it grows with what is done. */
export class MemoryTrend {
  readonly #what: string;
  readonly #samples: Sample[] = [];

  /** @param what - what is done, in the plural */
  constructor(what: string) {
    this.#what = what;
  }

  sample(at: number): void {
    collect();
    const { rss, heapUsed, external } = process.memoryUsage();
    this.#samples.push({ at, rss, heap: heapUsed, outside: external });
  }

  /**
   * Returns the slopes after the first third as a line to read.
   * @throws Broken where the memory grows
   */
  report(): string {
    const last = this.#samples.at(-1)?.at ?? 0;
    const rest = this.#samples.filter(({ at }) => at >= last / 3);
    const of = (value: (sample: Sample) => number) =>
      slopeOf(rest.map((sample) => [sample.at, value(sample)] as const));
    const rss = of((sample) => sample.rss);
    const heap = of((sample) => sample.heap);
    const outside = of((sample) => sample.outside);
    const other = of((sample) => sample.rss - sample.heap - sample.outside);
    const span = last - (rest[0]?.at ?? 0);
    const grows = ({ slope, error }: typeof rss, limit: number, noise: number): boolean =>
      slope - SURE * error > limit && slope * span > noise;
    const shown = ({ slope, error }: typeof rss): string =>
      `${((slope * 1000) / KIB).toFixed(0)} ± ${((error * 1000) / KIB).toFixed(0)}`;
    const text =
      `RSS ${shown(rss)} KiB per 1,000 ${this.#what} after the first third ` +
      `(heap ${shown(heap)}, outside of it ${shown(outside)}, allocator and code ${shown(other)}; ` +
      `${String(rest.length)} samples, RSS ${mib(rest.at(-1)?.rss ?? 0)} MiB)`;
    check(!grows(heap, HEAP_LIMIT, HEAP_NOISE), `the heap is flat: ${text}`);
    check(!grows(outside, HEAP_LIMIT, HEAP_NOISE), `memory outside of the heap is flat: ${text}`);
    check(!grows(rss, RSS_LIMIT, RSS_NOISE), `RSS is flat: ${text}`);
    return text;
  }
}

/** Returns bytes as MiB, to read. */
export function mib(bytes: number): string {
  return (bytes / MIB).toFixed(0);
}

/**
 * Returns the bytes in use once the memory behind Buffers is given back, which Node does in the
 * background.
 */
export async function settled(): Promise<number> {
  let least = inUse();
  for (let i = 0; i < 10; i++) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    least = Math.min(least, inUse());
  }
  return least;
}

/** Bytes that are in use after the garbage is gone, outside of the heap and in it. */
export function inUse(): number {
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
