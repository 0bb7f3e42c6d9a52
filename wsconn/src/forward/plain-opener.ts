import type { WsConnSocket } from 'ws-conn-adapter';

import { codeOf } from '../console/explain.ts';
import { Failure } from '../console/failure.ts';
import type { Dials } from '../dial/live-dialer.ts';
import { closeDelivered, webSocketClosed } from '../tunnel/close.ts';
import { STREAM_WITH_HEADER, type Wish, writeWish } from '../tunnel/stream-header.ts';
import { answerOf, type Opened, type Opener } from './opener.ts';
import { urlOfTarget } from './target-url.ts';

/**
 * Opens a WebSocket for each connection. Targets are named by its URL, so that a proxy on the way
 * can tell them apart; addresses by the header of its stream.
 */
export class PlainOpener implements Opener {
  readonly #dialer: Dials;
  readonly #open = new Set<WsConnSocket>();

  constructor(dialer: Dials) {
    this.#dialer = dialer;
  }

  async open(wish: Wish): Promise<Opened> {
    const adapter = await this.#dial(wish);
    this.#open.add(adapter);
    const released = webSocketClosed(adapter);
    void released.then(() => this.#open.delete(adapter));
    if ('name' in wish) return { connection: adapter, carrier: adapter, released };
    writeWish(adapter, wish);
    const answered = answerOf(adapter).catch(explainMissing);
    return { connection: adapter, carrier: adapter, answered, released };
  }

  failure(error: unknown): Error {
    return this.#dialer.failure(error);
  }

  async end(): Promise<number> {
    const lateOnes = [...this.#open].map(async (adapter) => {
      const lingered = adapter.closed;
      const error = await closeDelivered(adapter);
      return lingered && error !== null;
    });
    return (await Promise.all(lateOnes)).filter(Boolean).length;
  }

  #dial(wish: Wish): Promise<WsConnSocket> {
    return 'name' in wish
      ? this.#dialer.dial({}, urlOfTarget(this.#dialer.url, wish.name))
      : this.#dialer.dial({ protocols: STREAM_WITH_HEADER });
  }
}

/** A server that picks no subprotocol fails the handshake of a client that asks for one. */
function explainMissing(error: unknown): never {
  if (codeOf(error) !== 'EPROTO' || error instanceof Failure) throw error;
  throw new Failure(
    `the server connects to no address that clients choose (${(error as Error).message}): is it a wsconn serve with --allow-connect?`,
    { cause: error },
  );
}
