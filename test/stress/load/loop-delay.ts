import { monitorEventLoopDelay } from 'node:perf_hooks';

/** Time in ms between two looks, which Node counts as part of each delay. */
const RESOLUTION = 5;

/** Starts to measure how late the event loop is; the function that it returns ends that, and tells. */
export function measureLoopDelay(): () => string {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION });
  histogram.enable();
  return () => {
    histogram.disable();
    const shown = (nanoseconds: number): string =>
      `${Math.max(0, nanoseconds / 1e6 - RESOLUTION).toFixed(1)} ms`;
    const [middle, most] = [50, 99].map((share) => shown(histogram.percentile(share)));
    return `event loop late by ${String(middle)} (p50), ${String(most)} (p99), ${shown(histogram.max)} (max)`;
  };
}
