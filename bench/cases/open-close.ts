import type { BenchCase } from '../parts/case.ts';
import { cpu, startPair } from '../parts/pair.ts';
import { inTurns } from '../parts/turns.ts';
import { transports } from '../sides/contestants.ts';

/** One connection after another, each for 1 KiB there and back. */
export const openClose: BenchCase = {
  name: 'open-close',
  title: 'Open, 1 KiB there and back, close; one connection after another',
  aims: [],
  async run({ quick, rounds, warmUps }) {
    const count = quick ? 50 : 200;
    const pairs = await Promise.all(transports.map((one) => startPair(one)));
    return inTurns(pairs, { rounds, warmUps }, async ({ near, far }) => {
      const before = await cpu(near, far);
      const { rate = NaN } = await near.ask(`cycles ${String(count)}`);
      const spent = (await cpu(near, far)) - before;
      return [
        { metric: 'connections', unit: '1/s', better: 'more', value: rate },
        { metric: 'CPU', unit: 'ms/connection', better: 'less', value: (spent / count) * 1000 },
      ];
    });
  },
};
