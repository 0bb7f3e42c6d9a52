import type { WebSocket } from 'ws';

import { takeWebSocket } from '../../adapter/link/take-websocket.ts';
import type { AdapterSettings } from '../../adapter/options.ts';
import { PROTOCOL_ERROR } from '../../websocket/close-codes.ts';
import { WebSocketCarrier } from '../socket/carrier.ts';
import { decode, encodeClose } from '../wire/message.ts';
import type { Entry } from './session-table.ts';

/**
 * The WebSockets of clients that come back and have not shown yet that they saw the answer. Until
 * then nothing changes for their session. One for each: the newest.
 */
export class Rejoins {
  readonly #pending = new Map<Entry, WebSocketCarrier>();

  /** How many there are. */
  get size(): number {
    return this.#pending.size;
  }

  /** Waits for what the client says first. */
  add(entry: Entry, ws: WebSocket, settings: AdapterSettings): void {
    takeWebSocket(ws);
    this.#pending.get(entry)?.link.terminate();
    const leave = (): void => {
      if (this.#pending.get(entry) === carrier) this.#pending.delete(entry);
    };
    const carrier = new WebSocketCarrier(ws, settings, {
      onMessage: (bytes, isBinary) => {
        leave();
        carrier.link.stopLimit();
        if (entry.connection.end.closed) {
          // Since the handshake. Whoever asks once more is told how.
          carrier.link.terminate();
          return;
        }
        const problem = joinWith(entry, carrier, isBinary ? decode(bytes) : 'a text message');
        if (problem === null) return;
        carrier.send(encodeClose('abort', { code: PROTOCOL_ERROR, reason: problem }));
        carrier.retire(settings.closeTimeout);
      },
      onError: () => undefined, // 'close' follows, and nothing has changed.
      onClose: leave,
    });
    this.#pending.set(entry, carrier);
    carrier.link.limit(settings.handshakeTimeout, () => {
      carrier.link.terminate();
    });
  }

  /** Ends all. */
  terminateAll(): void {
    for (const carrier of this.#pending.values()) carrier.link.terminate();
  }
}

function joinWith(
  entry: Entry,
  carrier: WebSocketCarrier,
  message: ReturnType<typeof decode>,
): string | null {
  if (typeof message === 'string') return message;
  if (message.type !== 'hello') return 'the first message is no HELLO';
  if (!message.hello.id.equals(entry.id)) return 'a HELLO with another id';
  return entry.join(carrier, message.hello);
}
