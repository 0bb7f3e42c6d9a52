/**
 * One end of many idle connections, in a process of its own, which needs `--expose-gc`:
 * `node holder.mjs KIND INTERVAL [PORT]`, with INTERVAL 0 for no keepalive. Without PORT it listens,
 * and prints its port. For each line it prints figures as JSON:
 *
 * - `open COUNT`: opens as many connections more, and keeps them.
 * - `memory`: bytes of heap, and of the process, once garbage is collected.
 * - `usage`: processor time and peak of memory.
 * - `pings COUNT`: how many pings have come, once it is as many.
 */
import { createInterface } from 'node:readline';

import { WebSocket } from 'ws';

import { idleKinds, type Interval } from './idle.ts';
import { usage } from './usage.ts';

/** How many handshakes are under way at once. */
const AT_ONCE = 50;

const kind = idleKinds.find(({ name }) => name === process.argv[2]);
if (!kind) throw new Error(`no kind is called ${String(process.argv[2])}`);
const interval: Interval = Number(process.argv[3]) || null;
const port = Number(process.argv[4]);

const kept: object[] = [];
let pings = 0;
let pinged = (): void => undefined;

function count(one: object): void {
  if (one instanceof WebSocket)
    one.on('ping', () => {
      pings++;
      pinged();
    });
}

async function open(many: number): Promise<object> {
  let left = many;
  const lane = async (): Promise<void> => {
    while (left-- > 0) {
      const one = await kind?.connect(port, interval);
      if (!one) continue;
      kept.push(one);
      count(one);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return { open: kept.length };
}

function memory(): object {
  global.gc?.();
  global.gc?.();
  const { heapUsed, rss } = process.memoryUsage();
  return { heap: heapUsed, rss };
}

function pingsAbove(many: number): Promise<object> {
  return new Promise((resolve) => {
    pinged = () => {
      if (pings >= many) resolve({ pings });
    };
    pinged();
  });
}

function answer(line: string): object | Promise<object> {
  const [what, many] = line.split(' ');
  if (what === 'open') return open(Number(many));
  if (what === 'memory') return memory();
  return what === 'pings' ? pingsAbove(Number(many)) : usage();
}

if (process.argv[4] === undefined) console.log(String(await kind.listen(interval)));
for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await answer(line)));
}
process.exit();
