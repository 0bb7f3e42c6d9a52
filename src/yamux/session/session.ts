import { EventEmitter } from 'node:events';
import type { Duplex } from 'node:stream';

import { invalidState, WsConnError } from '../../base/errors.ts';
import type { Addresses, SocketDuplexOptions } from '../../base/socket-duplex.ts';
import { takeTransport } from './transport.ts';
import { Deadline } from '../../base/deadline.ts';
import { largestBody } from '../wire/frame-limit.ts';
import { FrameRouter } from './frame-router.ts';
import { Flag, FrameType, GoAwayCode } from '../wire/frame.ts';
import { isolate } from '../../base/isolate.ts';
import { FrameScheduler } from '../wire/frame-scheduler.ts';
import { Pings } from './pings.ts';
import { SessionKeepalive } from './keepalive.ts';
import {
  checkOptions,
  type KeepaliveSettings,
  type SessionSettings,
  type YamuxSessionOptions,
} from './options.ts';
import { ignore, SessionOutcome } from './session-outcome.ts';
import type { YamuxStream } from '../stream/stream.ts';
import { ReleasedStreams } from './released-streams.ts';
import { StreamTable } from './stream-table.ts';

export interface YamuxSessionEvents {
  /**
   * The peer has opened a stream. Without a listener, streams wait for `for await`, up to
   * `acceptBacklog`.
   */
  stream: [stream: YamuxStream];
  /** The peer opens no more streams and takes none; the code is 0 in normal times. */
  goaway: [code: number];
  /**
   * The session failed, or its transport did before it had taken everything; once, before 'close'.
   * close() gives the same error.
   */
  error: [error: Error];
  /** The transport is gone and nothing is left. The last event. */
  close: [];
}

/**
 * - `open`: streams come and go.
 * - `ending`: `close()` was called, and what was written is being sent.
 * - `parting`: no frame moves any more, and the transport is ending.
 * - `closed`: nothing is left.
 */
type Phase = 'open' | 'ending' | 'parting' | 'closed';

/**
 * Carries many byte streams over one: any Duplex, of which it is the only user from then on. The
 * wire is that of hashicorp/yamux, and the other end may be any program that speaks it.
 *
 * Either end may open streams: `open()` here makes one there, which comes with the event 'stream'
 * or out of `for await`. Each stream has windows of its own, so that one that is not read does not
 * hold up the others.
 *
 * A session ends with its transport. A stream whose peer has ended its half by then stays readable
 * to its end, also after the session's 'close'; one that waits for more from its peer fails.
 */
export class YamuxSession extends EventEmitter<YamuxSessionEvents> {
  readonly #transport: Duplex;
  readonly #settings: SessionSettings;
  readonly #scheduler: FrameScheduler;
  readonly #router: FrameRouter;
  readonly #pings: Pings;
  readonly #keepalive: SessionKeepalive | null;
  readonly #released: ReleasedStreams;
  readonly #streams: StreamTable;
  readonly #limit = new Deadline(() => {
    this.#onLimit();
  });
  #phase: Phase = 'open';
  readonly #outcome = new SessionOutcome(this);
  #localGoAway = false;
  #remoteGoAway = false;
  #closing: Promise<Error | null> | null = null;

  /**
   * @throws `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`, `ERR_OUT_OF_RANGE` for an option,
   * `ERR_INVALID_STATE` for a stream that has a session, is closing, or gives strings
   */
  constructor(duplex: Duplex, options: YamuxSessionOptions) {
    super();
    const settings = checkOptions(options);
    takeTransport(duplex);
    this.#transport = duplex;
    this.#settings = settings;
    this.#scheduler = new FrameScheduler(duplex, {
      onWritten: (bytes) => {
        this.#keepalive?.onWritten(bytes);
      },
      onFlood: () => {
        this.#onViolation('the peer asks faster than it reads the answers');
      },
    });
    this.#pings = new Pings(this.#scheduler, settings.pingTimeout);
    this.#released = new ReleasedStreams(settings.streamCloseTimeout, (id) => {
      this.#scheduler.sendFrame(FrameType.windowUpdate, Flag.rst, id, 0);
    });
    this.#streams = this.#makeStreams();
    this.#router = this.#makeRouter();
    this.#keepalive = settings.keepalive ? this.#makeKeepalive(settings.keepalive) : null;
    // Node's own event is not among those that the types of this emitter know.
    (this as EventEmitter).on('newListener', (event: string | symbol) => {
      if (event === 'stream') process.nextTick(this.#emitWaiting);
    });
    this.#listen();
  }

  /** Streams that are open, in one direction at least. */
  get numStreams(): number {
    return this.#streams.size;
  }

  /** Whether no frame will come or go any more. */
  get closed(): boolean {
    return this.#phase === 'parting' || this.#phase === 'closed';
  }

  /**
   * Opens a stream, to be used at once: what is written before the peer has accepted it is sent
   * along. 'connect' comes when it has. The options are those of the session's streams unless
   * given.
   * @throws `ERR_INVALID_STATE` once the session is closing, or either side has said that it goes
   * away
   */
  open(options: SocketDuplexOptions = {}): YamuxStream {
    if (this.#phase !== 'open') throw invalidState('the session is closing or closed');
    if (this.#localGoAway) throw invalidState('this side has said that it goes away');
    if (this.#remoteGoAway) throw invalidState('the peer has said that it goes away');
    return this.#streams.open(options);
  }

  /**
   * Asks the peer for a sign of life, and gives the round trip in ms. Rejects with `ETIMEDOUT`, or
   * when the session ends.
   */
  ping(): Promise<number> {
    return this.#pings.ping();
  }

  /** Tells the peer to open no more streams, and opens none; those that are open go on. */
  goAway(): void {
    if (this.#phase === 'open') this.#sayGoAway();
  }

  /**
   * Ends the session in order: sends what was written, ends every stream, says GoAway and ends the
   * transport. GoAway comes last, since libp2p's go-yamux drops everything when it hears it. Anyone
   * may call it, at any time and any number of times: every call returns the same promise. It
   * resolves after 'close' with the first error that the session ever had, or null, at the latest
   * `closeTimeout` later, whatever the transport does; with `ETIMEDOUT` if bytes were still unsent
   * then. It never rejects.
   */
  close(): Promise<Error | null> {
    this.#closing ??= this.#closeOnce();
    return this.#closing;
  }

  /** Closes as `close()` does, at the end of an `await using` block. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /**
   * Gives the streams that the peer opens, until the session ends; throws its error. Leaving the
   * loop ends nothing. Streams go to listeners of 'stream' first.
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<YamuxStream, void, undefined> {
    // Whoever is in the loop gets the error from it.
    this.on('error', ignore);
    try {
      for (;;) {
        const stream = await this.#streams.take();
        if (stream === null) return;
        // One that the peer has reset meanwhile has told its 'close' already: whoever waits for
        // that would wait for ever.
        if (!stream.destroyed) yield stream;
      }
    } finally {
      this.off('error', ignore);
    }
  }

  readonly #emitWaiting = (): void => {
    while (this.listenerCount('stream') > 0) {
      const stream = this.#streams.takeNow();
      if (!stream) return;
      isolate(() => this.emit('stream', stream));
    }
  };

  #makeStreams(): StreamTable {
    const addresses = this.#transport as Addresses;
    return new StreamTable(
      this.#scheduler,
      this.#pings,
      this.#released,
      this.#settings,
      addresses,
      {
        takesStreams: () => !this.#localGoAway && this.#phase === 'open',
        isListening: () => this.listenerCount('stream') > 0,
        onStream: (stream) => {
          isolate(() => this.emit('stream', stream));
        },
        onSilent: () => {
          this.#partWhenSilent();
        },
        largestBody: () => largestBody(this.#transport),
      },
    );
  }

  #makeRouter(): FrameRouter {
    const { client, maxStreamWindowSize } = this.#settings;
    return new FrameRouter(!client, maxStreamWindowSize, this.#streams, this.#released, {
      onPing: (id, isAnswer) => {
        if (isAnswer) {
          this.#pings.onAnswer(id);
          this.#keepalive?.onAnswer(id);
        } else {
          this.#scheduler.sendReply(FrameType.ping, Flag.ack, 0, id);
        }
      },
      onGoAway: (code) => {
        this.#onGoAway(code);
      },
      onViolation: (happened) => {
        this.#onViolation(happened);
      },
    });
  }

  #makeKeepalive(settings: KeepaliveSettings): SessionKeepalive {
    return new SessionKeepalive(this.#transport, settings, {
      onPing: (id, whenSent) => {
        this.#scheduler.sendFrame(FrameType.ping, Flag.syn, 0, id, whenSent);
      },
      onDead: (error) => {
        this.#part(error, 'at once');
      },
    });
  }

  #onGoAway(code: number): void {
    this.#remoteGoAway = true;
    if (code !== GoAwayCode.normal) {
      const meanings = ['', 'a protocol error of this side', 'an internal error'];
      const reason = meanings[code] ?? `the unknown reason ${String(code)}`;
      const errno = code === GoAwayCode.protocolError ? 'EPROTO' : 'ECONNRESET';
      this.#part(
        new WsConnError(errno, `the peer has ended the session for ${reason}`),
        'in order',
      );
    }
    isolate(() => this.emit('goaway', code));
  }

  #onViolation(happened: string): void {
    if (this.closed) return;
    this.#scheduler.sendFrame(FrameType.goAway, 0, 0, GoAwayCode.protocolError);
    this.#part(new WsConnError('EPROTO', happened), 'in order');
  }

  #listen(): void {
    this.#transport.on('data', this.#onData);
    this.#transport.on('end', this.#onEnd);
    this.#transport.on('error', this.#onError);
    this.#transport.on('close', this.#onClose);
    this.#transport.on('drain', this.#scheduler.flush);
    // Whoever had it before, to look at its first bytes, may have left it paused.
    this.#transport.resume();
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#keepalive?.onReceived(chunk.length);
    this.#router.decode(chunk);
  };

  readonly #onEnd = (): void => {
    // What close() has not sent is lost; what would still have come was not wanted.
    const cut =
      this.#phase === 'ending'
        ? !this.#streams.silent
        : !this.#router.atBorder || this.#streams.hasOpenHalves;
    this.#part(
      cut ? new WsConnError('ECONNRESET', 'the transport ended under open streams') : null,
      'in order',
    );
  };

  readonly #onError = (error: Error): void => {
    if (!this.closed) this.#part(error, 'at once');
    else if (!this.#transport.writableFinished) this.#outcome.fail(error);
  };

  readonly #onClose = (): void => {
    const cut = new WsConnError('ECONNRESET', 'the transport was closed before its end');
    this.#part(cut, 'at once');
    this.#finish();
  };

  /** Lets no frame move any more, ends the streams, and lets go of the transport. */
  #part(error: Error | null, manner: 'in order' | 'at once'): void {
    if (this.closed) return;
    this.#scheduler.flushLast();
    this.#phase = 'parting';
    this.#router.stop();
    this.#scheduler.stop();
    this.#keepalive?.stop();
    this.#pings.end(error);
    this.#streams.end(error);
    if (error) this.#outcome.fail(error);
    if (manner === 'at once') {
      this.#transport.destroy();
    } else if (this.#transport.writable) {
      this.#transport.end();
    }
    if (this.#closing) return;
    if (error) {
      this.#startLimit();
    } else {
      // As over TCP, what was handed over in order gets the time that it needs; only close() sets a
      // limit to it.
      this.#scheduler.whenAllTaken(() => {
        if (this.#closing === null) this.#startLimit();
      });
    }
  }

  #startLimit(): void {
    if (this.#phase === 'closed') return;
    this.#limit.start(this.#settings.closeTimeout);
    this.#limit.ref();
  }

  #closeOnce(): Promise<Error | null> {
    const closed = this.#outcome.afterClose();
    this.#startLimit();
    if (this.closed) return closed;
    this.#phase = 'ending';
    this.#streams.close();
    this.#partWhenSilent();
    return closed;
  }

  #partWhenSilent(): void {
    if (this.#phase !== 'ending' || !this.#streams.silent) return;
    // Not within the run of frames that has the last FIN in it.
    process.nextTick(() => {
      this.#sayGoAway();
      this.#part(null, 'in order');
    });
  }

  #sayGoAway(): void {
    if (this.#localGoAway || this.closed) return;
    this.#localGoAway = true;
    this.#scheduler.sendFrame(FrameType.goAway, 0, 0, GoAwayCode.normal);
  }

  #onLimit(): void {
    const unsent = this.#phase === 'ending' || !this.#transport.writableFinished;
    if (unsent && this.#outcome.error === null) {
      const limit = `the session was not closed within ${String(this.#settings.closeTimeout)} ms`;
      const error = new WsConnError('ETIMEDOUT', `${limit}; what was written last may be lost`);
      if (this.#phase === 'ending') this.#part(error, 'at once');
      else this.#outcome.fail(error);
    }
    this.#transport.destroy();
    this.#finish();
  }

  #finish(): void {
    if (this.#phase === 'closed') return;
    this.#phase = 'closed';
    this.#limit.stop();
    this.#loseUntaken();
    this.#transport.off('data', this.#onData);
    this.#transport.off('end', this.#onEnd);
    this.#transport.off('close', this.#onClose);
    this.#transport.off('drain', this.#scheduler.flush);
    this.#transport.off('error', this.#onError);
    // A transport that was given up on may fail yet, and nobody else listens.
    if (!this.#transport.closed) this.#transport.on('error', ignore);
    this.#outcome.close(() => {
      this.#streams.endAccepting(this.#outcome.error);
    });
  }

  /** Fails the streams whose last bytes the transport has not taken, now that it is gone. */
  #loseUntaken(): void {
    if (!this.#scheduler.hasUntaken) return;
    const cut = new WsConnError(
      'ECONNRESET',
      'the transport was closed before it had taken what was written',
    );
    this.#outcome.fail(cut);
    this.#scheduler.giveUp(this.#outcome.error ?? cut);
  }
}
