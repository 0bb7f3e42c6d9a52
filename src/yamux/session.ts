import { EventEmitter } from 'node:events';
import type { Duplex } from 'node:stream';

import { invalidArgType, invalidState, WsConnError } from '../errors.ts';
import type { Addresses, SocketDuplexOptions } from '../socket-duplex.ts';
import { AcceptQueue } from './accept-queue.ts';
import { Channel, type ChannelHost } from './channel.ts';
import { Deadline } from './deadline.ts';
import { FrameRouter } from './frame-router.ts';
import { Flag, FrameType, GoAwayCode, INITIAL_WINDOW, MAX_UINT32 } from './frame.ts';
import { Orphans } from './orphans.ts';
import { Outbox } from './outbox.ts';
import { Pings } from './pings.ts';
import { WindowBudget } from './receive-window.ts';
import { SessionKeepalive } from './session-keepalive.ts';
import { checkOptions, type SessionSettings, type YamuxSessionOptions } from './session-options.ts';
import { type StreamSetup, YamuxStream } from './stream.ts';
import { SynGate } from './syn-gate.ts';

export interface YamuxSessionEvents {
  /** The peer has opened a stream. Without a listener, streams wait for `for await`, up to `acceptBacklog`. */
  stream: [stream: YamuxStream];
  /** The peer opens no more streams and takes none; the code is 0 in normal times. */
  goaway: [code: number];
  /** The session failed; once, before 'close'. Its streams have failed too. */
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

/** Transports that have their session: two on one would each get half of the frames. */
const taken = new WeakSet<Duplex>();

function checkTransport(transport: Partial<Duplex> | null | undefined): void {
  if (typeof transport?.write !== 'function' || typeof transport.read !== 'function') {
    throw invalidArgType('duplex', 'a Duplex', transport);
  }
  if (taken.has(transport as Duplex)) throw invalidState('this stream has a session already');
  if (!transport.readable || !transport.writable) throw invalidState('this stream is closing or closed');
}

/**
 * Carries many byte streams over one: any Duplex, of which it is the only user from then on. The wire is that of
 * hashicorp/yamux, and the other end may be any program that speaks it.
 *
 * Either end may open streams: `open()` here makes one there, which comes with the event 'stream' or out of `for await`.
 * Each stream has windows of its own, so that one that is not read does not hold up the others.
 */
export class YamuxSession extends EventEmitter<YamuxSessionEvents> {
  readonly #transport: Duplex;
  readonly #settings: SessionSettings;
  readonly #streamOptions: SocketDuplexOptions;
  readonly #outbox: Outbox;
  readonly #router: FrameRouter;
  readonly #budget: WindowBudget;
  readonly #pings: Pings;
  readonly #keepalive: SessionKeepalive | null;
  readonly #acceptQueue: AcceptQueue;
  readonly #synGate: SynGate;
  readonly #orphans: Orphans;
  readonly #host: ChannelHost;
  readonly #channels = new Map<number, Channel>();
  readonly #limit = new Deadline(() => {
    this.#onLimit();
  });
  /** Streams that were opened by the peer and are on the wire. */
  #incoming = 0;
  /** Streams that have frames to send yet, their FIN at least. */
  #talking = 0;
  #nextId: number;
  #phase: Phase = 'open';
  #error: Error | null = null;
  #localGoAway = false;
  #remoteGoAway = false;
  #closeEmitted = false;
  #closing: Promise<Error | null> | null = null;

  /**
   * @throws `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`, `ERR_OUT_OF_RANGE` for an option, `ERR_INVALID_STATE` for a
   * stream that has a session or is closing
   */
  constructor(duplex: Duplex, options: YamuxSessionOptions) {
    super();
    const settings = checkOptions(options);
    checkTransport(duplex);
    taken.add(duplex);
    const { allowHalfOpen, readableHighWaterMark, writableHighWaterMark } = options;
    this.#streamOptions = { allowHalfOpen, readableHighWaterMark, writableHighWaterMark };
    this.#transport = duplex;
    this.#settings = settings;
    this.#nextId = settings.client ? 1 : 2;
    this.#budget = new WindowBudget(settings.sessionWindowLimit);
    this.#outbox = new Outbox(duplex, {
      onSent: () => {
        this.#keepalive?.onSent();
      },
      onFlood: () => {
        this.#onViolation('the peer asks faster than it reads the answers');
      },
    });
    this.#pings = new Pings(this.#outbox, settings.pingTimeout);
    this.#acceptQueue = new AcceptQueue(settings.acceptBacklog, (stream) => {
      this.#channels.get(stream.id)?.accept();
    });
    this.#synGate = new SynGate(settings.acceptBacklog);
    this.#orphans = new Orphans(settings.streamCloseTimeout, (id) => {
      this.#outbox.sendFrame(FrameType.windowUpdate, Flag.rst, id, 0);
    });
    this.#host = this.#makeHost();
    this.#router = this.#makeRouter();
    this.#keepalive = settings.keepAlive ? this.#makeKeepalive(settings.keepAlive) : null;
    // Node's own event is not among those that the types of this emitter know.
    (this as EventEmitter).on('newListener', (event: string | symbol) => {
      if (event === 'stream') process.nextTick(this.#emitWaiting);
    });
    this.#listen();
  }

  /** Streams that are open, in one direction at least. */
  get numStreams(): number {
    return this.#channels.size;
  }

  /** Whether no frame will come or go any more. */
  get closed(): boolean {
    return this.#phase === 'parting' || this.#phase === 'closed';
  }

  /**
   * Opens a stream, to be used at once: what is written before the peer has accepted it is sent along. 'connect' comes
   * when it has. The options are those of the session's streams unless given.
   * @throws `ERR_INVALID_STATE` once the session is closing, or either side has said that it goes away
   */
  open(options: SocketDuplexOptions = {}): YamuxStream {
    if (this.#phase !== 'open') throw invalidState('the session is closing or closed');
    if (this.#localGoAway) throw invalidState('this side has said that it goes away');
    if (this.#remoteGoAway) throw invalidState('the peer has said that it goes away');
    if (this.#nextId > MAX_UINT32) throw invalidState('the session has used up its stream numbers');
    const channel = new Channel(this.#host, this.#nextId, false);
    this.#add(channel);
    this.#synGate.add(channel);
    try {
      const stream = new YamuxStream(channel, this.#streamSetup(), { ...this.#streamOptions, ...options });
      this.#nextId += 2;
      return stream;
    } catch (error) {
      channel.reset();
      throw error;
    }
  }

  /** Asks the peer for a sign of life, and gives the round trip in ms. Rejects with `ETIMEDOUT`, or when the session ends. */
  ping(): Promise<number> {
    return this.#pings.ping();
  }

  /** Tells the peer to open no more streams, and opens none; those that are open go on. */
  goAway(): void {
    if (this.#localGoAway || this.#phase !== 'open') return;
    this.#localGoAway = true;
    this.#outbox.sendFrame(FrameType.goAway, 0, 0, GoAwayCode.normal);
  }

  /**
   * Ends the session in order: says GoAway, sends what was written, ends every stream and then the transport. Anyone may
   * call it, at any time and any number of times: every call returns the same promise. It resolves after 'close' with the
   * first error that the session ever had, or null, at the latest `closeTimeout` later, whatever the transport does; with
   * `ETIMEDOUT` if bytes were still unsent then. It never rejects.
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
   * Gives the streams that the peer opens, until the session ends; throws its error. Leaving the loop ends nothing.
   * Streams go to listeners of 'stream' first.
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<YamuxStream, void, undefined> {
    // Whoever is in the loop gets the error from it.
    this.on('error', ignore);
    try {
      for (;;) {
        const { done, value } = await this.#acceptQueue.next();
        if (done) return;
        yield value;
      }
    } finally {
      this.off('error', ignore);
    }
  }

  readonly #emitWaiting = (): void => {
    while (this.listenerCount('stream') > 0) {
      const stream = this.#acceptQueue.take();
      if (!stream) return;
      this.emit('stream', stream);
    }
  };

  #makeHost(): ChannelHost {
    return {
      outbox: this.#outbox,
      budget: this.#budget,
      maxWindow: this.#settings.maxStreamWindowSize,
      firstWindow: this.#settings.streamWindowSize,
      roundTrip: () => {
        this.#pings.measure();
        return this.#pings.roundTrip;
      },
      onEstablished: (channel) => {
        this.#synGate.remove(channel);
      },
      onGone: (channel, orphaned) => {
        this.#onGone(channel, orphaned);
      },
      onLocalEnd: () => {
        this.#talking--;
        this.#partWhenSilent();
      },
    };
  }

  #makeRouter(): FrameRouter {
    const { client, maxStreamWindowSize } = this.#settings;
    return new FrameRouter(!client, maxStreamWindowSize, {
      find: (id) => this.#channels.get(id),
      onSyn: (id) => this.#onSyn(id),
      onStray: (id) => {
        this.#orphans.reset(id);
      },
      onStrayEnd: (id) => {
        this.#orphans.remove(id);
      },
      onPing: (id, isAnswer) => {
        if (isAnswer) this.#pings.onAnswer(id);
        else this.#outbox.sendFrame(FrameType.ping, Flag.ack, 0, id);
      },
      onGoAway: (code) => {
        this.#onGoAway(code);
      },
      onViolation: (happened) => {
        this.#onViolation(happened);
      },
    });
  }

  #makeKeepalive({ interval, timeout }: { interval: number; timeout: number }): SessionKeepalive {
    return new SessionKeepalive(interval, timeout, {
      onPing: (whenSent) => {
        this.#outbox.sendFrame(FrameType.ping, Flag.syn, 0, 0, whenSent);
      },
      onDead: (error) => {
        this.#part(error, 'at once');
      },
    });
  }

  #streamSetup(): StreamSetup {
    const { streamOpenTimeout, streamCloseTimeout, closeTimeout } = this.#settings;
    return {
      addresses: this.#transport as Addresses,
      budget: this.#budget,
      openTimeout: streamOpenTimeout,
      halfCloseTimeout: streamCloseTimeout,
      closeTimeout,
    };
  }

  #add(channel: Channel): void {
    this.#channels.set(channel.id, channel);
    this.#talking++;
    // So that it is known when the first bytes come, and their window grows with the first credit.
    this.#pings.measure();
  }

  #onSyn(id: number): Channel | undefined {
    if (this.#orphans.has(id)) {
      this.#onViolation(`the peer opened stream ${String(id)} twice`);
      return undefined;
    }
    const refused =
      this.#localGoAway ||
      this.#phase !== 'open' ||
      this.#incoming >= this.#settings.maxStreams ||
      (this.listenerCount('stream') === 0 && this.#acceptQueue.full);
    if (refused) {
      this.#router.allowStray(INITIAL_WINDOW);
      this.#outbox.sendFrame(FrameType.windowUpdate, Flag.rst, id, 0);
      return undefined;
    }
    const channel = new Channel(this.#host, id, true);
    const stream = new YamuxStream(channel, this.#streamSetup(), this.#streamOptions);
    this.#incoming++;
    this.#add(channel);
    if (this.listenerCount('stream') > 0) {
      channel.accept();
      this.emit('stream', stream);
    } else {
      this.#acceptQueue.add(stream);
    }
    return channel;
  }

  #onGone(channel: Channel, orphaned: boolean): void {
    this.#channels.delete(channel.id);
    if (this.#isOurs(channel.id)) {
      if (!channel.established) this.#synGate.remove(channel);
    } else {
      this.#incoming--;
    }
    if (!channel.finReceived) this.#router.allowStray(channel.window.open);
    if (orphaned) this.#orphans.add(channel.id);
  }

  #isOurs(id: number): boolean {
    return id % 2 === (this.#settings.client ? 1 : 0);
  }

  #onGoAway(code: number): void {
    this.#remoteGoAway = true;
    if (code !== GoAwayCode.normal) {
      const meanings = ['', 'a protocol error of this side', 'an internal error'];
      const reason = meanings[code] ?? `the unknown reason ${String(code)}`;
      const errno = code === GoAwayCode.protocolError ? 'EPROTO' : 'ECONNRESET';
      this.#part(new WsConnError(errno, `the peer has ended the session for ${reason}`), 'in order');
    }
    this.emit('goaway', code);
  }

  #onViolation(happened: string): void {
    if (this.closed) return;
    this.#outbox.sendFrame(FrameType.goAway, 0, 0, GoAwayCode.protocolError);
    this.#part(new WsConnError('EPROTO', happened), 'in order');
  }

  #listen(): void {
    this.#transport.on('data', this.#onData);
    this.#transport.on('end', this.#onEnd);
    this.#transport.on('error', this.#onError);
    this.#transport.on('close', this.#onClose);
    this.#transport.on('drain', this.#outbox.flush);
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#keepalive?.onReceived();
    this.#router.decode(chunk);
  };

  readonly #onEnd = (): void => {
    // What close() has not sent is lost; what would still have come was not wanted.
    const cut =
      this.#phase === 'ending' ? this.#talking > 0 : !this.#router.atBorder || this.#hasOpenHalves();
    this.#part(
      cut ? new WsConnError('ECONNRESET', 'the transport ended under open streams') : null,
      'in order',
    );
  };

  readonly #onError = (error: Error): void => {
    if (!this.closed) this.#part(error, 'at once');
    else if (!this.#transport.writableFinished) this.#error ??= error;
  };

  readonly #onClose = (): void => {
    const cut = new WsConnError('ECONNRESET', 'the transport was closed before its end');
    this.#part(cut, 'at once');
    this.#finish();
  };

  #hasOpenHalves(): boolean {
    for (const channel of this.#channels.values()) if (!channel.finReceived) return true;
    return false;
  }

  /** Lets no frame move any more, ends the streams, and lets go of the transport. */
  #part(error: Error | null, manner: 'in order' | 'at once'): void {
    if (this.closed) return;
    this.#outbox.flush();
    this.#phase = 'parting';
    this.#error ??= error;
    this.#router.stop();
    this.#outbox.stop();
    this.#keepalive?.stop();
    this.#pings.end(error);
    this.#orphans.clear();
    for (const channel of [...this.#channels.values()]) channel.onSessionEnd(error);
    this.#channels.clear();
    this.#acceptQueue.end(error);
    if (error) process.nextTick(() => this.emit('error', error));
    if (manner === 'at once') {
      this.#transport.destroy();
    } else if (this.#transport.writable) {
      this.#transport.end();
    }
    if (this.#closing === null) this.#startLimit();
  }

  #startLimit(): void {
    this.#limit.start(this.#settings.closeTimeout);
    this.#limit.ref();
  }

  #closeOnce(): Promise<Error | null> {
    const closed = this.#afterClose();
    if (this.closed) return closed;
    this.goAway();
    this.#phase = 'ending';
    this.#startLimit();
    for (const channel of [...this.#channels.values()]) channel.onSessionClosing();
    this.#partWhenSilent();
    return closed;
  }

  #partWhenSilent(): void {
    if (this.#phase === 'ending' && this.#talking === 0) {
      // Not within the run of frames that has the last FIN in it.
      process.nextTick(() => {
        this.#part(null, 'in order');
      });
    }
  }

  #onLimit(): void {
    const unsent = this.#phase === 'ending' || !this.#transport.writableFinished;
    if (unsent && this.#error === null) {
      const limit = `the session was not closed within ${String(this.#settings.closeTimeout)} ms`;
      const error = new WsConnError('ETIMEDOUT', `${limit}; what was written last may be lost`);
      if (this.#phase === 'ending') this.#part(error, 'at once');
      else this.#lateError(error);
    }
    this.#transport.destroy();
    this.#finish();
  }

  #lateError(error: Error): void {
    this.#error = error;
    process.nextTick(() => this.emit('error', error));
  }

  #finish(): void {
    if (this.#phase === 'closed') return;
    this.#phase = 'closed';
    this.#limit.stop();
    this.#transport.off('data', this.#onData);
    this.#transport.off('end', this.#onEnd);
    this.#transport.off('close', this.#onClose);
    this.#transport.off('drain', this.#outbox.flush);
    this.#transport.off('error', this.#onError);
    // A transport that was given up on may fail yet, and nobody else listens.
    if (!this.#transport.closed) this.#transport.on('error', ignore);
    process.nextTick(() => {
      this.#closeEmitted = true;
      this.emit('close');
    });
  }

  #afterClose(): Promise<Error | null> {
    if (this.#closeEmitted) return Promise.resolve(this.#error);
    return new Promise((resolve) => {
      // Whoever holds the promise gets the error from it, so an 'error' event must not bring the process down.
      this.on('error', ignore);
      this.once('close', () => {
        resolve(this.#error);
      });
    });
  }
}

function ignore(): void {
  // The error reaches its reader in another way.
}
