import type { Answer, Side } from './side.ts';
import { startForMemory, startScript } from './side.ts';
import type { Reading } from './turns.ts';

/** Both ends of one contestant, running. */
export interface Pair {
  readonly name: string;
  readonly near: Side;
  readonly far: Side;
}

/** Starts both ends: the far one listens, the near one dials it, or what stands between. */
export async function startPair(
  { name }: { readonly name: string },
  between: (port: string) => Promise<string> = (port) => Promise.resolve(port),
): Promise<Pair> {
  const far = await startScript(1, 'far.ts', name);
  const near = await startScript(0, 'near.ts', name, await between(await far.line()));
  return { name, near, far };
}

/** What is asked of a near end that moves bytes. */
export interface Transfer {
  readonly metric: string;
  /** A question of near.ts whose answer is a rate. */
  readonly question: string;
  /** Bytes that it moves, of both ways. */
  readonly bytes: number;
}

/** Moves bytes; MB/s, and the processor time of both ends for a GB of them. */
export async function transfer(
  { near, far }: Pair,
  { metric, question, bytes }: Transfer,
): Promise<Reading[]> {
  const before = await cpu(near, far);
  const { rate = NaN } = await near.ask(question);
  const spent = (await cpu(near, far)) - before;
  return [
    { metric, unit: 'MB/s', better: 'more', value: rate },
    { metric: `${metric}, CPU`, unit: 's/GB', better: 'less', value: spent / (bytes / 1e9) },
  ];
}

/** The processor time in seconds of all so far. */
export async function cpu(...sides: readonly Side[]): Promise<number> {
  const answers = await Promise.all(sides.map((side) => side.ask('usage')));
  return answers.reduce((sum, { cpu = NaN }) => sum + cpu, 0);
}

/**
 * The peak of memory, each end, of new processes with Node's own settings that do one transfer.
 */
export async function peakMemory(
  { name }: { readonly name: string },
  { metric, question }: Omit<Transfer, 'bytes'>,
): Promise<Reading[]> {
  const far = await startForMemory(1, 'far.ts', name);
  const near = await startForMemory(0, 'near.ts', name, await far.line());
  await near.ask(question);
  const reading = (end: string, { peak = NaN }: Answer): Reading => ({
    metric: `${metric}, peak memory of the ${end}`,
    unit: 'MiB',
    better: 'less',
    value: peak,
  });
  const readings = [
    reading('writer', await near.ask('usage')),
    reading('reader', await far.ask('usage')),
  ];
  await Promise.all([near.stop(), far.stop()]);
  return readings;
}
