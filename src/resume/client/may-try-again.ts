import type { ResumedConnection } from '../socket/resumed-connection.ts';
import type { RefusalReason } from '../wire/resume-header.ts';

/** Whether a refusal is no reason to give up. */
export function mayTryAgain(
  { session, ws }: ResumedConnection,
  refusal: RefusalReason | null,
  asked: number,
): boolean {
  if (refusal?.reason === 'finished' || refusal?.reason === 'aborted') return false;
  // The next WebSocket was to take over from one that still works.
  if (ws) return true;
  // The WebSocket before has brought more since, which the server keeps no longer: the question was
  // out of date.
  return refusal?.reason === 'gone' && asked < session.in.received;
}

/** Returns how many numbers have passed, either way. */
export function passed({ out, in: incoming }: ResumedConnection['session']): number {
  return out.acked + incoming.received;
}
