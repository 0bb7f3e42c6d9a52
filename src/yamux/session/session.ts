import { EventEmitter } from 'node:events';
import type { Duplex } from 'node:stream';

import { isolate } from '../../base/errors.ts';
import type { Addresses, SocketDuplexOptions } from '../../base/socket-duplex.ts';
import type { KeepaliveSettings } from '../../keepalive/options.ts';
import type { YamuxStream } from '../stream/stream.ts';
import { largestBody } from '../wire/frame-limit.ts';
import { FrameScheduler } from '../wire/frame-scheduler.ts';
import { Flag, FrameType } from '../wire/frame.ts';
import { FrameRouter } from './frame-router.ts';
import { SessionKeepalive } from './keepalive.ts';
import { checkOptions, type SessionSettings, type YamuxSessionOptions } from './options.ts';
import { Pings } from './pings.ts';
import { ReleasedStreams } from './released-streams.ts';
import { ignore, SessionOutcome } from './session-outcome.ts';
import { Shutdown } from './shutdown.ts';
import { StreamTable } from './stream-table.ts';
import { Transport } from './transport.ts';

/** Lists the events of a session with their arguments. */
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
   * close() resolves with the same error.
   */
  error: [error: Error];
  /** The transport is gone and nothing is left. The last event. */
  close: [];
}

/**
 * Carries many byte streams over one transport: any Duplex, of which it is the only user from then on.
 * The wire is that of hashicorp/yamux, and the other end may be any program that speaks it.
 *
 * Either end may open streams: `open()` here makes one there, which comes with the event 'stream'
 * or out of `for await`. Each stream has windows of its own, so that one that is not read does not
 * hold up the others.
 *
 * A session ends with its transport. A stream whose peer has ended its half by then stays readable
 * to its end, also after the session's 'close'; one that waits for more from its peer fails.
 */
export class YamuxSession extends EventEmitter<YamuxSessionEvents> {
  readonly #scheduler: FrameScheduler;
  readonly #router: FrameRouter;
  readonly #pings: Pings;
  readonly #keepalive: SessionKeepalive | null;
  readonly #streams: StreamTable;
  readonly #outcome = new SessionOutcome(this);
  readonly #shutdown: Shutdown;

  /**
   * @throws `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`, `ERR_OUT_OF_RANGE` for an option,
   * `ERR_INVALID_STATE` for a stream that has a session, is closing, or gives strings
   */
  constructor(duplex: Duplex, options: YamuxSessionOptions) {
    super();
    const settings = checkOptions(options);
    const transport = this.#takeTransport(duplex);
    this.#scheduler = this.#makeScheduler(duplex);
    this.#pings = new Pings(this.#scheduler, settings.pingTimeout);
    const released = new ReleasedStreams(settings.streamCloseTimeout, (id) => {
      this.#scheduler.sendFrame(FrameType.windowUpdate, Flag.rst, id, 0);
    });
    this.#streams = this.#makeStreams(settings, duplex, released);
    this.#router = this.#makeRouter(settings, released);
    this.#keepalive = settings.keepalive ? this.#makeKeepalive(settings.keepalive, duplex) : null;
    this.#shutdown = new Shutdown(
      {
        transport,
        scheduler: this.#scheduler,
        router: this.#router,
        pings: this.#pings,
        keepalive: this.#keepalive,
        streams: this.#streams,
      },
      this.#outcome,
      settings.closeTimeout,
    );
    // Node's own event is not among those that the types of this emitter know.
    (this as EventEmitter).on('newListener', (event: string | symbol) => {
      if (event === 'stream') process.nextTick(this.#emitWaiting);
    });
    transport.listen();
  }

  /** Streams that are open, in one direction at least. */
  get numStreams(): number {
    return this.#streams.size;
  }

  /**
   * Whether no frame will come or go any more: the session has failed, was closed, or its transport
   * has ended. 'close' may be still to come.
   */
  get destroyed(): boolean {
    return this.#shutdown.hasEnded;
  }

  /** Whether 'close' was emitted, as in Node's streams. */
  get closed(): boolean {
    return this.#outcome.closed;
  }

  /**
   * Opens a stream, to be used at once: what is written before the peer has accepted it is sent
   * along. 'connect' comes when it has. The options are those of the session's streams unless
   * given.
   * @throws `ERR_INVALID_STATE` once the session is closing, or either side has said that it goes
   * away
   */
  open(options: SocketDuplexOptions = {}): YamuxStream {
    this.#shutdown.checkMayOpen();
    return this.#streams.open(options);
  }

  /**
   * Sends a ping; resolves with the round trip in ms. Rejects with `ETIMEDOUT`, or when the session
   * ends.
   */
  ping(): Promise<number> {
    return this.#pings.ping();
  }

  /** Tells the peer to open no more streams, and opens none; those that are open go on. */
  goAway(): void {
    this.#shutdown.goAway();
  }

  /**
   * Ends the session in order: sends what was written, ends every stream, says GoAway and ends the
   * transport. GoAway comes last, since libp2p's go-yamux drops everything when it hears it: it
   * waits until the peer has ended its streams too, for half of `closeTimeout` at most.
   *
   * Anyone may call it, at any time and any number of times: every call returns the same promise. It
   * resolves after 'close' with the first error that the session ever had, or null, at the latest
   * `closeTimeout` later, whatever the transport does; with `ETIMEDOUT` if bytes were still unsent
   * then. It never rejects.
   */
  close(): Promise<Error | null> {
    return this.#shutdown.close();
  }

  /** Closes as `close()` does, at the end of an `await using` block. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /**
   * Iterates over the streams that the peer opens, until the session ends; throws its error. Leaving
   * the loop ends nothing. Streams go to listeners of 'stream' first.
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<YamuxStream, void, undefined> {
    // Whoever is in the loop gets the error from it.
    this.on('error', ignore);
    try {
      for (;;) {
        const stream = await this.#streams.take();
        if (stream === null) return;
        // One that the peer has reset meanwhile has emitted 'close' already: who then waits for
        // 'close' would wait for ever.
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

  #takeTransport(duplex: Duplex): Transport {
    return new Transport(duplex, {
      onData: (chunk) => {
        this.#keepalive?.onReceived(chunk.length);
        this.#router.decode(chunk);
      },
      onDrain: () => {
        this.#scheduler.flush();
      },
      onEnd: () => {
        this.#shutdown.onTransportEnd();
      },
      onError: (error) => {
        this.#shutdown.onTransportError(error);
      },
      onClose: () => {
        this.#shutdown.onTransportClose();
      },
    });
  }

  #makeScheduler(duplex: Duplex): FrameScheduler {
    return new FrameScheduler(duplex, {
      onWritten: (bytes) => {
        this.#keepalive?.onWritten(bytes);
      },
      onFlood: () => {
        this.#shutdown.onViolation('the peer asks faster than it reads the answers');
      },
    });
  }

  #makeStreams(settings: SessionSettings, duplex: Duplex, released: ReleasedStreams): StreamTable {
    const addresses = duplex as Addresses;
    return new StreamTable(this.#scheduler, this.#pings, released, settings, addresses, {
      takesStreams: () => this.#shutdown.takesStreams,
      isListening: () => this.listenerCount('stream') > 0,
      onStream: (stream) => {
        isolate(() => this.emit('stream', stream));
      },
      onStreamEnd: () => {
        this.#shutdown.onStreamEnd();
      },
      largestBody: () => largestBody(duplex),
    });
  }

  #makeRouter(
    { client, maxStreamWindowSize }: SessionSettings,
    released: ReleasedStreams,
  ): FrameRouter {
    return new FrameRouter(!client, maxStreamWindowSize, this.#streams, released, {
      onPing: (id, isAnswer) => {
        if (isAnswer) {
          this.#scheduler.onAnswer(id, this.#pings.onAnswer(id));
          this.#keepalive?.onAnswer(id);
        } else {
          this.#scheduler.sendReply(FrameType.ping, Flag.ack, 0, id);
        }
      },
      onGoAway: (code) => {
        this.#shutdown.onGoAway(code);
        isolate(() => this.emit('goaway', code));
      },
      onViolation: (happened) => {
        this.#shutdown.onViolation(happened);
      },
    });
  }

  #makeKeepalive(settings: KeepaliveSettings, duplex: Duplex): SessionKeepalive {
    return new SessionKeepalive(duplex, settings, {
      onPing: (id, whenSent) => {
        this.#scheduler.sendFrame(FrameType.ping, Flag.syn, 0, id, whenSent);
      },
      onDead: (error) => {
        this.#shutdown.terminate(error);
      },
    });
  }
}
