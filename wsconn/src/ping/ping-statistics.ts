/** Round trips of a run of pings. */
export class PingStatistics {
  readonly #roundTrips: number[] = [];
  #sent = 0;

  get sent(): number {
    return this.#sent;
  }

  get received(): number {
    return this.#roundTrips.length;
  }

  /** Counts a ping that was sent; returns its number, from 1. */
  countSent(): number {
    return ++this.#sent;
  }

  /** Counts an answer, with its round trip in ms. */
  countReceived(rtt: number): void {
    this.#roundTrips.push(rtt);
  }

  /**
   * Returns minimum, mean and maximum of the round trips and their deviation, in ms, or null before
   * the first answer. The deviation is the square root of the variance, as in ping(8).
   */
  get roundTrips(): { min: number; avg: number; max: number; mdev: number } | null {
    const all = this.#roundTrips;
    if (all.length === 0) return null;
    const mean = (values: readonly number[]): number =>
      values.reduce((sum, value) => sum + value, 0) / values.length;
    const avg = mean(all);
    const variance = Math.max(0, mean(all.map((rtt) => rtt * rtt)) - avg * avg);
    return { min: Math.min(...all), avg, max: Math.max(...all), mdev: Math.sqrt(variance) };
  }
}
