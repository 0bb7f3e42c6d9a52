import { WsConnError } from '../base/errors.ts';

/**
 * Returns the error of a peer that is taken for dead.
 * @param silence - time in ms since its last byte, or since the ping that it has not answered
 * @param queued - bytes that wait in our send queue
 */
export function deadPeer(silence: number, queued: number): WsConnError {
  const stuck = queued > 0 ? `, and ${String(queued)} bytes wait in the send queue` : '';
  const happened = `no byte came in for ${String(Math.round(silence))} ms after a ping${stuck}`;
  return new WsConnError('ETIMEDOUT', `${happened}; the peer is taken for dead`);
}
