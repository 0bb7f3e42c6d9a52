import type { WebSocket } from 'ws';

import { resetSocket } from '../../base/reset-socket.ts';
import type { RawSocket } from '../../websocket/raw-socket.ts';

/**
 * Time in ms of silence after which the kernel asks whether the peer is there. Node has it ask ten
 * times, a second apart, so a peer that is gone is known after 25 s while nothing is
 * unacknowledged. While something is, the kernel sends it again instead, for some 15 minutes
 * (Linux: `tcp_retries2`).
 */
const PROBE_AFTER = 15_000;

/**
 * Bytes that a lingering socket discards before it is reset: somebody sends on who should have
 * ended.
 */
const MAX_DISCARDED = 64 * 1_048_576;

/** Makes the kernel ask whether the peer is there: after our Close nothing else may. */
export function probe(raw: RawSocket): void {
  raw.setKeepAlive?.(true, PROBE_AFTER);
}

/**
 * Keeps the socket of a stream that is done until the peer has ended too, or is dead: reads on and
 * discards. A socket that is closed under unread bytes, or that is gone when the peer's next pong
 * comes, answers with a reset, and that destroys what the peer has not read yet.
 *
 * It is ref'd as the stream was, and holds an 'error' listener on the WebSocket, since frames may
 * still be broken.
 */
export function linger(ws: WebSocket, raw: RawSocket): void {
  let discarded = 0;
  const count = (chunk: Buffer): void => {
    discarded += chunk.length;
    if (discarded > MAX_DISCARDED) resetSocket(raw);
  };
  const ignore = (): void => undefined;
  probe(raw);
  raw.on('data', count);
  ws.on('error', ignore);
  ws.once('close', () => {
    raw.off('data', count);
    ws.off('error', ignore);
  });
  ws.resume();
}
