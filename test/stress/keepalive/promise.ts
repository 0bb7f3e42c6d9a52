/**
 * What the design promises for a cell, from its words alone and without a look at how the keepalive
 * goes about it.
 */
import { type Cell, impossible, type Timing } from './cells.ts';

/** The slowest link there may be, in bytes per ms. */
const SLOWEST = 8;
/** Bytes of a burst that lie before its first ping. */
const BEFORE_PING = 65_536;

export type Verdict =
  /** There is no verdict: nobody asks, or nobody could hear the answer. */
  | { readonly is: 'never'; readonly and?: 'shows life' | 'the kernel asks' }
  | { readonly is: 'alive'; readonly pings: boolean }
  /** Dead, so many ms after the first ping that was not answered. */
  | { readonly is: 'dead'; readonly after: number };

/** Returns what is promised for a cell; null for one that cannot be. */
export function promised(cell: Cell, { pongTimeout }: Timing): Verdict | null {
  const { phase, traffic, reading, queue, peer } = cell;
  if (impossible(cell)) return null;
  // The handshake has a time limit of its own.
  if (phase === 'before open') return { is: 'never' };
  // After our Close nothing may follow it, so the kernel's keepalive asks.
  if (phase === 'closing') return { is: 'never', and: 'the kernel asks' };
  // The clock stands still while our own side does not read; unsolicited pongs show that we live.
  if (reading === 'paused') return { is: 'never', and: 'shows life' };
  const [comesIn, goesOut] = [traffic === 'in' || traffic === 'both', traffic === 'both'];
  // Both directions moved: nothing is sent. A burst carries pings of its own, whatever comes in.
  if (comesIn && goesOut && queue === 'empty') return { is: 'alive', pings: false };
  // Any byte is life, also while our own send queue stands still.
  if (comesIn) return { is: 'alive', pings: true };
  const transit = queue === 'empty' ? 0 : BEFORE_PING / SLOWEST;
  // A ping in a queue that stands still reaches nobody who could answer.
  const inTime = peer === 'answers' || peer === 'late' || (peer === 'too late' && transit > 0);
  if (inTime && queue !== 'stuck') return { is: 'alive', pings: true };
  return { is: 'dead', after: pongTimeout + transit };
}

/** Returns a verdict in the words of the table. */
export function inWords(verdict: Verdict, { pongTimeout }: Timing): string {
  if (verdict.is === 'never') return verdict.and ? `never; ${verdict.and}` : 'never';
  if (verdict.is === 'alive') return verdict.pings ? 'alive' : 'alive; no ping';
  const { after } = verdict;
  if (after < 2 * pongTimeout) return `dead after ${(after / pongTimeout).toFixed(1)} pongTimeout`;
  return `dead after 1.0 pongTimeout + ${((after - pongTimeout) / 1000).toFixed(1)} s`;
}
