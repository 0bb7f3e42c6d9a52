import { median } from './parts/statistics.ts';
import { type Answer, type Side, startForProfile, stopSides } from './parts/side.ts';
import type { Profile, Share } from './report/results.ts';
import { bareAdapter, transports } from './sides/contestants.ts';

const MIB = 1_048_576;

/** What can be profiled, by name. */
export const profiled: Readonly<Record<string, { title: string; size: number; bytes: number }>> = {
  bulk: { title: 'writes of 64 KiB', size: 65_536, bytes: 1_024 * MIB },
  'small-writes': { title: 'writes of 64 B', size: 64, bytes: 256 * MIB },
};

/** Rounds before, so that what is compiled is compiled; and those that count. */
const WARM_UPS = 2;
const ROUNDS = 3;

/**
 * Finds where the processor time of ours, and of raw ws beside it, goes: in which shares kernel,
 * Node, ws and ours have it, at either end.
 */
export async function profile(name: string): Promise<Profile | null> {
  const load = profiled[name];
  if (!load) return null;
  const rows: Share[] = [];
  for (const { name: contestant } of transports.slice(0, 2)) {
    const { size } = load;
    // Raw ws takes long for small writes.
    const bytes = contestant === bareAdapter.name || size > 1_024 ? load.bytes : load.bytes / 16;
    const far = await startForProfile(1, 'far.ts', contestant);
    const near = await startForProfile(0, 'near.ts', contestant, await far.line());
    const question = `sink 1 ${String(bytes)} ${String(size)}`;
    for (let i = 0; i < WARM_UPS; i++) await near.ask(question);
    const writer: Answer[] = [];
    const reader: Answer[] = [];
    for (let i = 0; i < ROUNDS; i++) {
      const [first, second] = await watched(near, far, () => near.ask(question));
      writer.push(first);
      reader.push(second);
    }
    rows.push({ contestant, end: 'writer', ...middle(writer) });
    rows.push({ contestant, end: 'reader', ...middle(reader) });
    await stopSides();
  }
  return { title: load.title, rows };
}

type Shares = Omit<Share, 'contestant' | 'end'>;

/** Runs something, and returns at each end the share of each owner, in percent. */
async function watched(
  near: Side,
  far: Side,
  run: () => Promise<unknown>,
): Promise<readonly [Answer, Answer]> {
  const both = (question: string): Promise<[Answer, Answer]> =>
    Promise.all([near.ask(question), far.ask(question)]);
  await both('profile');
  const before = await both('usage');
  await run();
  const after = await both('usage');
  const owners = await both('profiled');
  return [share(before[0], after[0], owners[0]), share(before[1], after[1], owners[1])];
}

/**
 * Whose code ran comes from the profile. How much of the time was the kernel's comes from the
 * kernel: most of that is in calls from native code, but a page fault can be in anybody's.
 */
function share(before: Answer, after: Answer, owners: Answer): Answer {
  const spent = (what: string): number => (after[what] ?? NaN) - (before[what] ?? NaN);
  const all = Object.values(owners).reduce((sum, count) => sum + count, 0);
  const shares = Object.entries(owners).map(([owner, count]) => [owner, count / all] as const);
  return { ...Object.fromEntries(shares), kernel: spent('kernel') / spent('cpu') };
}

function middle(rounds: readonly Answer[]): Shares {
  const of = (owner: string): number =>
    Math.round(median(rounds.map((round) => round[owner] ?? NaN)) * 100);
  return {
    native: of('native'),
    node: of('node'),
    garbage: of('garbage'),
    ws: of('ws'),
    ours: of('ours'),
    bench: of('bench'),
    kernel: of('kernel'),
  };
}
