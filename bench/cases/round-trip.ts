import type { Aim, BenchCase, Sample } from '../parts/case.ts';
import { transports } from '../sides/contestants.ts';
import { startPair } from '../parts/pair.ts';
import { startScript } from '../parts/side.ts';
import { inTurns } from '../parts/turns.ts';

/** Time in ms that bytes take one way over the slow link. */
const DELAY = 25;

const SITUATIONS = [
  { title: 'idle', question: 'trips', slow: false, trips: 1_500 },
  { title: 'beside bulk', question: 'busy-trips', slow: false, trips: 150 },
  { title: 'slow link', question: 'trips', slow: true, trips: 10 },
  { title: 'slow link, beside bulk', question: 'busy-trips', slow: true, trips: 10 },
];

function aims(title: string): Aim[] {
  return ['p50', 'p99'].map((share) => ({
    metric: `${title}, ${share}`,
    contestant: 'ws-conn-adapter',
    against: 'raw ws',
    atMost: 1.05,
  }));
}

/** The round trip of one byte. */
export const roundTrip: BenchCase = {
  name: 'round-trip',
  title: `Round trip of one byte; the slow link takes ${String(DELAY)} ms each way`,
  aims: SITUATIONS.flatMap(({ title }) => aims(title)),
  async run({ quick, rounds, warmUps }) {
    const near = await Promise.all(transports.map((one) => startPair(one)));
    const behindLink = await Promise.all(
      transports.map((one) =>
        startPair(one, async (port) =>
          (await startScript('any', 'delay-proxy.ts', port, String(DELAY))).line(),
        ),
      ),
    );
    const samples: Sample[] = [];
    for (const { title, question, slow, trips } of SITUATIONS) {
      const count = quick ? Math.ceil(trips / 10) : trips;
      // The link itself is what takes most of the time, and it takes the same time in each round.
      const timing = slow ? { rounds: Math.min(rounds, 5), warmUps: 1 } : { rounds, warmUps };
      const ofOne = await inTurns(slow ? behindLink : near, timing, async (pair) => {
        const { p50 = NaN, p99 = NaN } = await pair.near.ask(`${question} ${String(count)}`);
        return [
          { metric: `${title}, p50`, unit: 'µs', better: 'less', value: p50 },
          { metric: `${title}, p99`, unit: 'µs', better: 'less', value: p99 },
        ];
      });
      samples.push(...ofOne);
    }
    return samples;
  },
};
