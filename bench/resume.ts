/**
 * Measures what it costs that a connection may outlive its WebSocket: the adapter with `resume` at
 * both ends, as a multiple of the adapter without, over loopback:
 * `node --import tsx bench/resume.ts`. Each end of each is a process of its own; where there is
 * taskset, near ends have one core and far ends the other.
 */
import { type Contestant, resumed } from './parts/contestants.ts';
import { type Side, startScript, stopSides } from './parts/side.ts';
import { compare, printHead } from './parts/turns.ts';

const MIB = 1_048_576;
const TRIPS = 3_000;

const cases = [
  { title: 'Writes of 64 bytes', size: 64, bytes: 96 * MIB },
  { title: 'Writes of 1 KiB', size: 1_024, bytes: 128 * MIB },
  { title: 'Writes of 64 KiB', size: 65_536, bytes: 192 * MIB },
];

interface Running {
  readonly name: string;
  readonly near: Side;
}

async function start({ name }: Contestant): Promise<Running> {
  const port = await startScript(1, 'far.ts', name).line();
  return { name, near: startScript(0, 'near.ts', name, port) };
}

const running = await Promise.all(resumed.map(start));
printHead();
for (const { title, size, bytes } of cases) {
  await compare(title, 'MB/s', running, ({ near }) =>
    near.ask(`fill 1 ${String(bytes)} ${String(size)}`),
  );
}
await compare('Round trip of one byte (less is better)', 'µs', running, ({ near }) =>
  near.ask(`trips ${String(TRIPS)}`),
);
stopSides();
process.exit();
