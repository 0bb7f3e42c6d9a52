import type { WsConnAdapter } from 'ws-conn-adapter';

/**
 * Resolves when the WebSocket below an adapter is gone. It may outlive the adapter's 'close': its
 * socket then reads on, so that a peer which is slow gets all that was sent to it. A process that
 * exits before would reset the connection.
 */
export function gone({ ws }: WsConnAdapter): Promise<void> {
  if (ws.readyState === ws.CLOSED) return Promise.resolve();
  return new Promise((resolve) => {
    ws.once('close', () => {
      resolve();
    });
  });
}

/**
 * Waits until the WebSocket below an adapter is gone, and cuts it where that takes longer than
 * `ms`; tells whether it went by itself.
 */
export async function goneWithin(adapter: WsConnAdapter, ms: number): Promise<boolean> {
  let inTime = true;
  const late = setTimeout(() => {
    inTime = false;
    adapter.ws.terminate();
  }, ms);
  await gone(adapter);
  clearTimeout(late);
  return inTime;
}
