import type { SocketDuplex } from 'ws-conn-adapter';

import { Failure } from '../console/failure.ts';
import type { GiveUp } from '../tunnel/give-up.ts';
import { readAnswer, type Refused, type Wish } from '../tunnel/stream-header.ts';

/** A connection through the server, perhaps still connecting. */
export interface Opened {
  readonly connection: SocketDuplex;
  /** What it runs over: itself, or what it shares with others. */
  readonly carrier: SocketDuplex;
  /**
   * Resolves when the server has connected it, and rejects with a `RefusedFailure` where it does
   * not, or with what cut it. Undefined where the server does not tell, and data follows at once.
   */
  readonly answered?: Promise<void>;
  /** Resolves when nothing of it is left, which may be later than its 'close'. */
  readonly released: Promise<void>;
}

/** Opens connections through the server, in one of the ways there are. */
export interface Opener {
  /**
   * Opens a connection to what a local program wants. Rejects with a Failure where it cannot, or
   * when nobody waits for it any more.
   */
  open(wish: Wish, nobodyWaits: GiveUp): Promise<Opened>;
  /** Explains to the user why a connection failed. */
  failure(error: unknown): Error;
  /**
   * Ends everything that is open, in order where all was delivered, and opens no connection any
   * more. Returns how many had closed before and lingered for so long that they were cut.
   */
  end(): Promise<number>;
}

/** Reports that the server does not connect a stream, and why. */
export class RefusedFailure extends Failure {
  /** What happened, in an errno name. */
  readonly errno: string;

  constructor({ code, reason }: Refused) {
    super(`the server refused the connection (${code}): ${reason}`);
    this.errno = code;
  }
}

/** Waits until the server has answered to the header of a stream; see `Opened.answered`. */
export async function answerOf(connection: SocketDuplex): Promise<void> {
  const refused = await readAnswer(connection);
  if (refused) throw new RefusedFailure(refused);
}
