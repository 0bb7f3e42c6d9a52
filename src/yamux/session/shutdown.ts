import { Deadline } from '../../base/deadline.ts';
import { invalidState, WsConnError } from '../../base/errors.ts';
import type { FrameScheduler } from '../wire/frame-scheduler.ts';
import { FrameType, GoAwayCode } from '../wire/frame.ts';
import type { FrameRouter } from './frame-router.ts';
import type { SessionKeepalive } from './keepalive.ts';
import type { Pings } from './pings.ts';
import type { SessionOutcome } from './session-outcome.ts';
import type { StreamTable } from './stream-table.ts';
import type { Transport } from './transport.ts';

/** All that ends with a session. */
export interface SessionParts {
  readonly transport: Transport;
  readonly scheduler: FrameScheduler;
  readonly router: FrameRouter;
  readonly pings: Pings;
  readonly keepalive: SessionKeepalive | null;
  readonly streams: StreamTable;
}

/**
 * - `open`: streams come and go.
 * - `closing`: `close()` was called, and what was written is being sent.
 * - `ended`: no frame moves any more, and the transport is ending.
 * - `closed`: nothing is left.
 */
type Phase = 'open' | 'closing' | 'ended' | 'closed';

/** Ends a session with its streams and its transport, once, whatever the reason. */
export class Shutdown {
  readonly #parts: SessionParts;
  readonly #outcome: SessionOutcome;
  readonly #closeTimeout: number;
  readonly #limit = new Deadline(() => {
    this.#onLimit();
  });
  /** Whether close() still waits for the FINs of the peer; it may take half of the time. */
  #waitsForFins = true;
  readonly #finLimit = new Deadline(() => {
    this.#waitsForFins = false;
    this.onStreamEnd();
  });
  #phase: Phase = 'open';
  #goAwaySent = false;
  #goAwayReceived = false;
  #closing: Promise<Error | null> | null = null;

  /** @param closeTimeout - time in ms that the end may take once `close()` was called */
  constructor(parts: SessionParts, outcome: SessionOutcome, closeTimeout: number) {
    this.#parts = parts;
    this.#outcome = outcome;
    this.#closeTimeout = closeTimeout;
  }

  /** Whether no frame will come or go any more. */
  get hasEnded(): boolean {
    return this.#phase === 'ended' || this.#phase === 'closed';
  }

  /** Whether the peer may open streams. */
  get takesStreams(): boolean {
    return this.#phase === 'open' && !this.#goAwaySent;
  }

  /** @throws `ERR_INVALID_STATE` when this side may not open streams any more */
  checkMayOpen(): void {
    if (this.#phase !== 'open') throw invalidState('the session is closing or closed');
    if (this.#goAwaySent) throw invalidState('this side has said that it goes away');
    if (this.#goAwayReceived) throw invalidState('the peer has said that it goes away');
  }

  /** Tells the peer to open no more streams, unless it is told at the end anyhow. */
  goAway(): void {
    if (this.#phase === 'open') this.#sendGoAway();
  }

  /**
   * Sends what was written and ends the session; every call returns the same promise, which
   * resolves after 'close' with the first error, or null.
   */
  close(): Promise<Error | null> {
    this.#closing ??= this.#closeOnce();
    return this.#closing;
  }

  /** Ends the session now, with the error if there is one, and the transport in order. */
  end(error: Error | null): void {
    if (this.hasEnded) return;
    this.#stopParts(error);
    this.#parts.transport.end();
    this.#limitWait(error);
  }

  /** Ends the session now, with the error, and destroys the transport. */
  terminate(error: Error): void {
    if (this.hasEnded) return;
    this.#stopParts(error);
    this.#parts.transport.duplex.destroy();
    this.#limitWait(error);
  }

  /**
   * A stream has sent its last frame, or is gone. Once all have, `close()` ends the session. A peer such as libp2p's go-yamux drops, when it hears
   * our GoAway, what its readers have not read: a FIN shows that a stream was read to its end.
   */
  onStreamEnd(): void {
    const { silent, size } = this.#parts.streams;
    if (this.#phase !== 'closing' || !silent || (size > 0 && this.#waitsForFins)) return;
    // Not within the run of frames that has the last FIN in it.
    process.nextTick(() => {
      this.#sendGoAway();
      this.end(null);
    });
  }

  /** The peer opens no more streams and takes none; with a code, it has ended the session. */
  onGoAway(code: number): void {
    this.#goAwayReceived = true;
    if (code === GoAwayCode.normal) return;
    const meanings = ['', 'a protocol error of this side', 'an internal error'];
    const reason = meanings[code] ?? `the unknown reason ${String(code)}`;
    const errno = code === GoAwayCode.protocolError ? 'EPROTO' : 'ECONNRESET';
    this.end(new WsConnError(errno, `the peer has ended the session for ${reason}`));
  }

  /** The peer broke the protocol. */
  onViolation(happened: string): void {
    if (this.hasEnded) return;
    this.#parts.scheduler.sendFrame(FrameType.goAway, 0, 0, GoAwayCode.protocolError);
    this.end(new WsConnError('EPROTO', happened));
  }

  onTransportEnd(): void {
    const { router, streams } = this.#parts;
    // What close() has not sent is lost; what would still have come was not wanted.
    const cut =
      this.#phase === 'closing' ? !streams.silent : !router.atBorder || streams.hasOpenHalves;
    this.end(cut ? new WsConnError('ECONNRESET', 'the transport ended under open streams') : null);
  }

  onTransportError(error: Error): void {
    if (!this.hasEnded) this.terminate(error);
    else if (!this.#parts.transport.duplex.writableFinished) this.#outcome.fail(error);
  }

  onTransportClose(): void {
    this.terminate(new WsConnError('ECONNRESET', 'the transport was closed before its end'));
    this.#finish();
  }

  #sendGoAway(): void {
    if (this.#goAwaySent || this.hasEnded) return;
    this.#goAwaySent = true;
    this.#parts.scheduler.sendFrame(FrameType.goAway, 0, 0, GoAwayCode.normal);
  }

  #closeOnce(): Promise<Error | null> {
    const closed = this.#outcome.afterClose();
    this.#startLimit();
    if (this.hasEnded) return closed;
    this.#phase = 'closing';
    this.#finLimit.start(this.#closeTimeout / 2);
    this.#finLimit.ref();
    this.#parts.streams.close();
    this.#parts.scheduler.hurry();
    this.onStreamEnd();
    return closed;
  }

  /** Stops all frames, and ends the streams. */
  #stopParts(error: Error | null): void {
    const { scheduler, router, keepalive, pings, streams } = this.#parts;
    scheduler.flushLast();
    this.#phase = 'ended';
    this.#finLimit.stop();
    router.stop();
    scheduler.stop();
    keepalive?.stop();
    pings.end(error);
    streams.end(error);
    if (error) this.#outcome.fail(error);
  }

  /**
   * Limits the wait for the transport. As over TCP, what was handed over in order gets the time that
   * it needs; only close() sets a limit to it.
   */
  #limitWait(error: Error | null): void {
    if (this.#closing) return;
    if (error) {
      this.#startLimit();
    } else {
      this.#parts.scheduler.whenAllTaken(() => {
        if (this.#closing === null) this.#startLimit();
      });
    }
  }

  #startLimit(): void {
    if (this.#phase === 'closed') return;
    this.#limit.start(this.#closeTimeout);
    this.#limit.ref();
  }

  #onLimit(): void {
    const { duplex } = this.#parts.transport;
    const isClosing = this.#phase === 'closing';
    if ((isClosing || !duplex.writableFinished) && this.#outcome.error === null) {
      const limit = `the session was not closed within ${String(this.#closeTimeout)} ms`;
      const error = new WsConnError('ETIMEDOUT', `${limit}; what was written last may be lost`);
      if (isClosing) this.terminate(error);
      else this.#outcome.fail(error);
    }
    duplex.destroy();
    this.#finish();
  }

  #finish(): void {
    if (this.#phase === 'closed') return;
    this.#phase = 'closed';
    this.#limit.stop();
    this.#failUntaken();
    this.#parts.transport.release();
    this.#outcome.close(() => {
      this.#parts.streams.endAccepting(this.#outcome.error);
    });
  }

  /** Fails the streams whose last bytes the transport has not taken, now that it is gone. */
  #failUntaken(): void {
    const { scheduler } = this.#parts;
    if (!scheduler.hasUntaken) return;
    const cut = new WsConnError(
      'ECONNRESET',
      'the transport was closed before it had taken what was written',
    );
    this.#outcome.fail(cut);
    scheduler.giveUp(this.#outcome.error ?? cut);
  }
}
