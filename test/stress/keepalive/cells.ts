/** The cells of the keepalive table: what a connection is doing, in which phase. */

export const PHASES = ['before open', 'open', 'half closed', 'closing'] as const;
export const TRAFFIC = ['none', 'in', 'out', 'both'] as const;
export const READING = ['reading', 'paused'] as const;
export const QUEUES = ['empty', 'draining', 'stuck'] as const;
/** When the peer answers a ping: at once, after half a `pongTimeout`, after one and a half, never. */
export const PEERS = ['answers', 'late', 'too late', 'never'] as const;

export interface Cell {
  readonly phase: (typeof PHASES)[number];
  readonly traffic: (typeof TRAFFIC)[number];
  readonly reading: (typeof READING)[number];
  readonly queue: (typeof QUEUES)[number];
  readonly peer: (typeof PEERS)[number];
}

/** Every combination, in the order of the table. */
export const CELLS: readonly Cell[] = PHASES.flatMap((phase) =>
  TRAFFIC.flatMap((traffic) =>
    READING.flatMap((reading) =>
      QUEUES.flatMap((queue) => PEERS.map((peer) => ({ phase, traffic, reading, queue, peer }))),
    ),
  ),
);

/** Why a combination cannot be, by the letter that the table has for it. */
export const REASONS = {
  a: 'nothing comes before the handshake is done',
  b: 'there is nothing to pause before the handshake is done',
  c: 'what is written before the handshake is done waits until then: the queue stands still',
  d: 'one direction has ended, so not both can have traffic',
  e: 'nothing is sent after Close',
} as const;

/** Returns why a cell cannot be; null for one that can. */
export function impossible({ phase, traffic, reading, queue }: Cell): keyof typeof REASONS | null {
  if (phase === 'before open') {
    if (traffic === 'in' || traffic === 'both') return 'a';
    if (reading === 'paused') return 'b';
    if (queue === 'draining' || (queue === 'empty' && traffic === 'out')) return 'c';
  }
  if (phase === 'half closed' && traffic === 'both') return 'd';
  if (phase === 'closing' && (traffic === 'out' || traffic === 'both')) return 'e';
  return null;
}

/** Times in ms of the keepalive, and after how many of them a peer answers. */
export interface Timing {
  readonly interval: number;
  readonly pongTimeout: number;
}

/** Returns the time in ms that a peer takes to answer a ping. */
export function answerDelay(peer: Cell['peer'], { pongTimeout }: Timing): number {
  const shares = { answers: 0, late: 0.5, 'too late': 1.5, never: Infinity };
  return shares[peer] * pongTimeout;
}

export function show({ phase, traffic, reading, queue, peer }: Cell): string {
  return `${phase}, traffic ${traffic}, ${reading}, queue ${queue}, peer ${peer}`;
}
