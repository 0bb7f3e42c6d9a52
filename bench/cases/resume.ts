import type { Aim, BenchCase, Sample } from '../parts/case.ts';
import { memoryEach } from '../parts/held.ts';
import { startPair, transfer } from '../parts/pair.ts';
import { inTurns } from '../parts/turns.ts';
import { resumed } from '../sides/contestants.ts';

const MIB = 1_048_576;
const TRIPS = 3_000;
const [WITH = '', WITHOUT = ''] = resumed.map(({ name }) => name);

const LOADS = [
  { metric: '64 KiB', size: 65_536, bytes: 192 * MIB, atLeast: 0.95 },
  { metric: '1 KiB', size: 1_024, bytes: 128 * MIB, atLeast: 0.9 },
  { metric: '64 B', size: 64, bytes: 64 * MIB, atLeast: 0.9 },
];

function aim(metric: string, bounds: Pick<Aim, 'atLeast' | 'atMost'>): Aim {
  return { metric, contestant: WITH, against: WITHOUT, ...bounds };
}

/** What it costs that a connection may outlive its WebSocket. */
export const resume: BenchCase = {
  name: 'resume',
  title: 'A connection that may outlive its WebSocket, against one that may not',
  aims: [
    ...LOADS.map(({ metric, atLeast }) => aim(metric, { atLeast })),
    aim('round trip, p50', { atMost: 1.05 }),
    aim('round trip, p99', { atMost: 1.05 }),
  ],
  async run({ quick, rounds, warmUps }) {
    const pairs = await Promise.all(resumed.map((one) => startPair(one)));
    const samples: Sample[] = [];
    for (const { metric, size, bytes: all } of LOADS) {
      const bytes = quick ? all / 8 : all;
      const question = `sink 1 ${String(bytes)} ${String(size)}`;
      const ofOne = await inTurns(pairs, { rounds, warmUps }, (pair) =>
        transfer(pair, { metric, question, bytes }),
      );
      samples.push(...ofOne);
    }
    const trips = await inTurns(pairs, { rounds, warmUps }, async ({ near }) => {
      const { p50 = NaN, p99 = NaN } = await near.ask(`trips ${String(quick ? 300 : TRIPS)}`);
      return [
        { metric: 'round trip, p50', unit: 'µs', better: 'less', value: p50 },
        { metric: 'round trip, p99', unit: 'µs', better: 'less', value: p99 },
      ];
    });
    const memory = await inTurns(
      resumed,
      { rounds: Math.min(rounds, quick ? 1 : 3), warmUps: 0 },
      ({ name }) =>
        memoryEach(
          { name, server: name, client: name, interval: 0, clientInterval: 0 },
          'idle',
          quick ? 500 : 1_000,
        ),
    );
    return [...samples, ...trips, ...memory];
  },
};
