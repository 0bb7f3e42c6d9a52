import { spawnSync } from 'node:child_process';

import { type Aim, type BenchCase, printLeftOut, type Sample } from '../parts/case.ts';
import { type HeldKind, memoryEach, startHeld } from '../parts/held.ts';
import { inTurns, type Reading } from '../parts/turns.ts';

const KINDS = ['ws-conn-adapter', 'raw ws', 'createWebSocketStream', 'net.Socket'];
/** Longer than a measurement: what keepalive keeps is to be seen, not its pings. */
const LONG = 60_000;
/** As short as it may be, so that a few seconds show many pings. */
const SHORT = 2_000;

function heldKind(name: string, interval: number): HeldKind {
  return { name, server: name, client: name, interval, clientInterval: interval };
}

function atMost(metric: string, more: number): Aim {
  return {
    metric,
    contestant: 'ws-conn-adapter',
    against: 'raw ws',
    atMost: more,
    of: 'difference',
  };
}

/** What idle connections cost, and to keep many of them alive. */
export const connections: BenchCase = {
  name: 'connections',
  title: 'Idle connections: memory of one, and the processor time of keeping 10,000 alive',
  aims: [
    atMost('keepalive, heap of the server', 2.4),
    atMost('keepalive, heap of the client', 2.4),
    atMost('keepalive, RSS of the server', 4),
    atMost('keepalive, RSS of the client', 4),
  ],
  async run({ quick, rounds }) {
    const samples: Sample[] = [];
    const timing = { rounds: Math.min(rounds, quick ? 1 : 3), warmUps: 0 };
    for (const [metric, interval] of [
      ['idle', 0],
      ['keepalive', LONG],
    ] as const) {
      const kinds = KINDS.map((name) => heldKind(name, interval));
      const ofOne = await inTurns(kinds, timing, (kind) =>
        memoryEach(kind, metric, quick ? 500 : 1_000),
      );
      samples.push(...ofOne);
    }
    samples.push(...(await keepAlive(quick ? 500 : 10_000, quick ? 1 : 3)));
    return samples;
  },
};

/** The processor time of a server that keeps clients alive, which are raw ws for all servers. */
async function keepAlive(count: number, rounds: number): Promise<Sample[]> {
  const title = `keeping ${count.toLocaleString('en')} alive`;
  const limit = Number(spawnSync('sh', ['-c', 'ulimit -Hn'], { encoding: 'utf8' }).stdout);
  if (limit < count + 100) {
    printLeftOut(title, `${String(count + 100)} file descriptors (ulimit -n)`);
    return [];
  }
  const kinds = KINDS.slice(0, 2).map((name) => ({
    name,
    server: name,
    client: 'raw ws',
    interval: SHORT,
    clientInterval: 0,
  }));
  return inTurns(kinds, { rounds, warmUps: 0 }, async (kind): Promise<Reading[]> => {
    const { client, server } = await startHeld(kind);
    await client.ask(`open ${String(count)}`);
    // All have been pinged once: what is compiled is compiled.
    const { pings: from = NaN } = await client.ask(`pings ${String(count)}`);
    const { cpu: before = NaN } = await server.ask('usage');
    const { pings: to = NaN } = await client.ask(`pings ${String(from + 2 * count)}`);
    const { cpu: after = NaN } = await server.ask('usage');
    await Promise.all([client.stop(), server.stop()]);
    const value = ((after - before) / (to - from)) * 1e6;
    return [{ metric: `${title}, CPU`, unit: 'µs/ping', better: 'less', value }];
  });
}
