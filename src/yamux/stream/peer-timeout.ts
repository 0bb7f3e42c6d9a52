import { Deadline } from '../../base/deadline.ts';
import { WsConnError } from '../../base/errors.ts';

/** The time limits for the peer of a stream. */
export interface PeerTimeoutSettings {
  /** Time in ms that the peer has to accept the stream. */
  readonly openTimeout: number;
  /** Time in ms without a byte that the peer has to end its half, once this side has. */
  readonly halfCloseTimeout: number;
}

/** What a peer timeout asks of its stream, and reports to it. */
export interface PeerTimeoutHost {
  /** Bytes that wait to be read by our own user. */
  readonly unread: () => number;
  /** The peer has let too much time pass: `ETIMEDOUT`. */
  readonly onTimeout: (error: WsConnError) => void;
}

/** Limits the wait for the peer to accept a stream, and later to end its half. */
export class PeerTimeout {
  readonly #settings: PeerTimeoutSettings;
  readonly #host: PeerTimeoutHost;
  readonly #deadline = new Deadline(() => {
    this.#onDue();
  });
  #awaited: 'accept' | 'end' = 'accept';

  constructor(settings: PeerTimeoutSettings, host: PeerTimeoutHost) {
    this.#settings = settings;
    this.#host = host;
  }

  awaitAccept(): void {
    this.#deadline.start(this.#settings.openTimeout);
  }

  awaitEnd(): void {
    this.#awaited = 'end';
    this.#deadline.start(this.#settings.halfCloseTimeout);
  }

  /** The peer has accepted the stream; the wait may be for its end already. */
  onAccept(): void {
    if (this.#awaited === 'accept') this.#deadline.stop();
  }

  /** A byte came. */
  onData(): void {
    this.#deadline.refresh();
  }

  stop(): void {
    this.#deadline.stop();
  }

  #onDue(): void {
    const { openTimeout, halfCloseTimeout } = this.#settings;
    if (this.#awaited === 'accept') {
      this.#fail(`the peer did not accept the stream within ${String(openTimeout)} ms`);
    } else if (this.#host.unread() > 0) {
      // It is our own user who lets the peer wait.
      this.awaitEnd();
    } else {
      this.#fail(`no byte came for ${String(halfCloseTimeout)} ms after this side had ended`);
    }
  }

  #fail(happened: string): void {
    this.#host.onTimeout(new WsConnError('ETIMEDOUT', happened));
  }
}
