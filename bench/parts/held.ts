import { type Answer, type Side, startForMemory } from './side.ts';
import type { Reading } from './turns.ts';

/** A kind of idle connection, and how often it pings. */
export interface HeldKind {
  readonly name: string;
  /** What both ends open, or only the server where the clients are others. */
  readonly server: string;
  readonly client: string;
  /** Time in ms between two pings, 0 for no keepalive. */
  readonly interval: number;
  readonly clientInterval: number;
}

/** Both ends of idle connections, in new processes with Node's own settings. */
export async function startHeld(kind: HeldKind): Promise<{ client: Side; server: Side }> {
  const { server, client, interval, clientInterval } = kind;
  const far = await startForMemory(1, 'holder.ts', server, String(interval));
  const port = await far.line();
  const near = await startForMemory(0, 'holder.ts', client, String(clientInterval), port);
  return { client: near, server: far };
}

/** Connections before those that count: what is loaded and compiled for the first stays. */
const FIRST = 50;

/** What one more idle connection takes at each end. */
export async function memoryEach(
  kind: HeldKind,
  metric: string,
  count: number,
): Promise<Reading[]> {
  const { client, server } = await startHeld(kind);
  const ends = { server, client };
  await client.ask(`open ${String(FIRST)}`);
  const before = await askAll(ends);
  await client.ask(`open ${String(count)}`);
  const after = await askAll(ends);
  await Promise.all([client.stop(), server.stop()]);
  return (['heap', 'rss'] as const).flatMap((what) =>
    (['server', 'client'] as const).map((end) => ({
      metric: `${metric}, ${what === 'rss' ? 'RSS' : 'heap'} of the ${end}`,
      unit: 'KiB',
      better: 'less' as const,
      value: ((after[end][what] ?? NaN) - (before[end][what] ?? NaN)) / count / 1024,
    })),
  );
}

async function askAll(
  ends: Readonly<Record<'server' | 'client', Side>>,
): Promise<Record<'server' | 'client', Answer>> {
  return { server: await ends.server.ask('memory'), client: await ends.client.ask('memory') };
}
