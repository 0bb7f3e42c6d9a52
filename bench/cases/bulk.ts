import type { BenchCase } from '../parts/case.ts';
import { transports } from '../sides/contestants.ts';
import { peakMemory, startPair, transfer, type Transfer } from '../parts/pair.ts';
import { inTurns } from '../parts/turns.ts';

const MIB = 1_048_576;
const SIZE = 65_536;
const METRICS = { sink: 'client to server', pour: 'server to client', both: 'both at once' };

/** Writes of 64 KiB, each way and both at once. */
export const bulk: BenchCase = {
  name: 'bulk',
  title: 'Bulk, writes of 64 KiB',
  aims: Object.values(METRICS).flatMap((metric) => [
    { metric, contestant: 'ws-conn-adapter', against: 'raw ws', atLeast: 1 },
    { metric, contestant: 'ws-conn-adapter', against: 'net.Socket', atLeast: 0.85 },
  ]),
  async run({ quick, rounds, warmUps }) {
    const bytes = (quick ? 32 : 192) * MIB;
    const all: Transfer[] = Object.entries(METRICS).map(([request, metric]) => ({
      metric,
      question: `${request} 1 ${String(bytes)} ${String(SIZE)}`,
      bytes: bytes * (request === 'both' ? 2 : 1),
    }));
    const pairs = await Promise.all(transports.map((one) => startPair(one)));
    const rates = [];
    for (const one of all) {
      rates.push(...(await inTurns(pairs, { rounds, warmUps }, (pair) => transfer(pair, one))));
    }
    const [sink] = all;
    const memory = await inTurns(
      transports,
      { rounds: Math.min(rounds, 5), warmUps: 0 },
      async (one) => (sink ? peakMemory(one, sink) : []),
    );
    return [...rates, ...memory];
  },
};
