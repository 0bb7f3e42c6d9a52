import { WsConnAdapter } from '../adapter/adapter.ts';
import { invalidArgType, WsConnError } from '../base/errors.ts';

/**
 * Dials the server back: opens a WebSocket to a path of the server and returns its adapter, still
 * connecting or open. `connPath` is a path, maybe with a query, and nothing else: the listener has
 * checked that. `signal` fires when the listener gives up before the connection is open, and never
 * afterwards.
 */
export type DialBack = (
  connPath: string,
  signal: AbortSignal,
) => WsConnAdapter | Promise<WsConnAdapter>;

/**
 * Calls `dialBack` and waits until its connection is open. Rejects with its error, or with the
 * signal's reason as soon as that fires. A connection that comes later is destroyed.
 */
export function openDialBack(
  dialBack: DialBack,
  connPath: string,
  signal: AbortSignal,
): Promise<WsConnAdapter> {
  return new Promise((resolve, reject) => {
    const giveUp = (): void => {
      reject(signal.reason as Error);
    };
    signal.addEventListener('abort', giveUp);
    open(dialBack, connPath, signal).then(
      (adapter) => {
        signal.removeEventListener('abort', giveUp);
        resolve(adapter);
      },
      (error: unknown) => {
        signal.removeEventListener('abort', giveUp);
        reject(error instanceof Error ? error : new Error(String(error)));
      },
    );
  });
}

async function open(
  dialBack: DialBack,
  connPath: string,
  signal: AbortSignal,
): Promise<WsConnAdapter> {
  const adapter: unknown = await dialBack(connPath, signal);
  if (!(adapter instanceof WsConnAdapter)) {
    throw invalidArgType('result of dialBack()', 'a WsConnAdapter', adapter);
  }
  await opened(adapter, signal);
  return adapter;
}

/**
 * Waits until the adapter is open. Rejects when it closes before. Destroys it when the signal fires
 * before.
 */
function opened(adapter: WsConnAdapter, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      adapter.off('connect', onConnect);
      adapter.off('close', onClose);
      adapter.off('error', ignore);
      signal.removeEventListener('abort', giveUp);
    };
    const onConnect = (): void => {
      settle();
      resolve();
    };
    const onClose = (): void => {
      settle();
      reject(
        adapter.errored ??
          new WsConnError('ECONNRESET', 'the connection was closed before it was open'),
      );
    };
    // 'close' follows, and `errored` has the error.
    const ignore = (): void => undefined;
    const giveUp = (): void => {
      adapter.destroy();
    };
    adapter.on('connect', onConnect);
    adapter.on('close', onClose);
    adapter.on('error', ignore);
    signal.addEventListener('abort', giveUp);
    if (signal.aborted) giveUp();
    else if (adapter.closed) onClose();
    else if (!adapter.connecting && !adapter.destroyed) onConnect();
  });
}
