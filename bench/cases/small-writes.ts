import type { Aim, BenchCase, Sample } from '../parts/case.ts';
import { transports } from '../sides/contestants.ts';
import { startPair, transfer } from '../parts/pair.ts';
import { inTurns } from '../parts/turns.ts';

const MIB = 1_048_576;
const STREAM = 'createWebSocketStream';

/**
 * Bytes to carry; the others get less where they are slow with small writes, so that nobody waits
 * for minutes.
 */
const SIZES = [
  { title: '1 KiB', size: 1_024, bytes: 128 * MIB, othersBytes: 32 * MIB, aim: 10 },
  { title: '64 B', size: 64, bytes: 64 * MIB, othersBytes: 2 * MIB, aim: 50 },
];
const WAYS = { sink: (size: string) => size, forward: (size: string) => `${size}, join()` };

function aim(metric: string, atLeast: number): Aim {
  return { metric, contestant: 'ws-conn-adapter', against: STREAM, atLeast };
}

/** Small writes, by themselves and forwarded from another stream. */
export const smallWrites: BenchCase = {
  name: 'small-writes',
  title: 'Small writes, client to server; by write(), and forwarded by join() or pipe()',
  aims: Object.values(WAYS).flatMap((metric) =>
    SIZES.map((one) => aim(metric(one.title), one.aim)),
  ),
  async run({ quick, rounds, warmUps }) {
    const pairs = await Promise.all(transports.map((one) => startPair(one)));
    const samples: Sample[] = [];
    for (const [request, metric] of Object.entries(WAYS)) {
      for (const { title, size, bytes, othersBytes } of SIZES) {
        const ofOne = await inTurns(pairs, { rounds, warmUps }, (pair) => {
          const all = (pair === pairs[0] ? bytes : othersBytes) / (quick ? 8 : 1);
          const streams = request === 'sink' ? '1 ' : '';
          const question = `${request} ${streams}${String(all)} ${String(size)}`;
          return transfer(pair, { metric: metric(title), question, bytes: all });
        });
        samples.push(...ofOne);
      }
    }
    return samples;
  },
};
