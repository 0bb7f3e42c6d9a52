import type { BenchCase, Sample } from '../parts/case.ts';
import { startPair, transfer } from '../parts/pair.ts';
import { inTurns } from '../parts/turns.ts';
import { transports } from '../sides/contestants.ts';

const MIB = 1_048_576;
const SIZE = 65_536;
const COUNTS = [1, 10, 100, 1_000];

/** From one connection to many, which carry the same bytes together. */
export const many: BenchCase = {
  name: 'many',
  title: '1 to 1,000 connections at once, client to server, writes of 64 KiB',
  aims: [],
  async run({ quick, rounds, warmUps }) {
    const pairs = await Promise.all(transports.map((one) => startPair(one)));
    const samples: Sample[] = [];
    for (const count of quick ? COUNTS.slice(0, -1) : COUNTS) {
      const each = Math.ceil(((quick ? 32 : 128) * MIB) / count / SIZE) * SIZE;
      const order = `${String(count)} ${String(each)} ${String(SIZE)}`;
      for (const { near } of pairs) await near.ask(`open ${order}`);
      const ofOne = await inTurns(pairs, { rounds, warmUps }, (pair) =>
        transfer(pair, {
          metric: count === 1 ? '1 connection' : `${count.toLocaleString('en')} connections`,
          question: `refill ${order}`,
          bytes: count * each,
        }),
      );
      samples.push(...ofOne);
      for (const { near } of pairs) await near.ask(`close ${String(count)}`);
    }
    return samples;
  },
};
