import { Histogram, type Registry } from 'prom-client';

/** Limits in s between the classes: from a local network to a link that is nearly dead. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Returns what counts how long, in ms, pings took to be answered. */
export function countRoundTrips(registry: Registry): (ms: number) => void {
  const histogram = new Histogram({
    name: 'wsconn_round_trip_seconds',
    help: 'Time until a ping of the keepalive was answered.',
    buckets: BUCKETS,
    registers: [registry],
  });
  return (ms) => {
    histogram.observe(ms / 1000);
  };
}
