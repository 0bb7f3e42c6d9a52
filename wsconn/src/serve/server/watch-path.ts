import type { WsConnSocket } from 'ws-conn-adapter';

import { lossOf } from '../../console/loss.ts';
import type { Tunnel } from './tunnel.ts';

export interface PathEvents {
  readonly lost: () => void;
  readonly back: () => void;
}

/** Logs when the path of a connection is lost that outlives its WebSocket, and when it is back. */
export function watchPath(connection: WsConnSocket, tunnel: Tunnel, events: PathEvents): void {
  connection.on('disconnect', (error) => {
    const reason = lossOf(error);
    tunnel.log.info(`${tunnel.name} lost its path (${reason}); held for its client`, {
      event: 'disconnect',
      reason,
    });
    events.lost();
  });
  connection.on('reconnect', (_count, ms) => {
    const seconds = ms / 1000;
    tunnel.log.info(`${tunnel.name} is back after ${seconds.toFixed(1)} s`, {
      event: 'reconnect',
      seconds,
    });
    events.back();
  });
}
