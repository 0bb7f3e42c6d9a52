import { invalidState } from '../../base/errors.ts';
import type { Addresses, SocketDuplexOptions } from '../../base/socket-duplex.ts';
import { Channel, type ChannelHost } from '../stream/channel.ts';
import { WindowBudget } from '../stream/receive-window.ts';
import { type StreamSettings, YamuxStream } from '../stream/stream.ts';
import type { FrameScheduler } from '../wire/frame-scheduler.ts';
import { Flag, FrameType, INITIAL_WINDOW, MAX_UINT32 } from '../wire/frame.ts';
import { AcceptQueue } from './accept-queue.ts';
import type { RoutedStreams } from './frame-router.ts';
import type { SessionSettings } from './options.ts';
import type { Pings } from './pings.ts';
import type { ReleasedStreams } from './released-streams.ts';
import { SynLimiter } from './syn-limiter.ts';

/** What the streams of a session ask of it, and report to it. */
export interface StreamTableHost {
  /** Whether the peer may open streams. */
  readonly takesStreams: () => boolean;
  /** Whether somebody wants each stream as it comes; else it waits to be asked for. */
  readonly isListening: () => boolean;
  readonly onStream: (stream: YamuxStream) => void;
  /** A stream has sent its last frame, or has left the wire. */
  readonly onStreamEnd: () => void;
  /** Bytes of the largest body that the transport lets the peer send in one frame. */
  readonly largestBody: () => number;
}

/**
 * Keeps the streams of one session: those on the wire, and those that wait for a user. Opens new
 * ones, and takes or refuses those of the peer.
 */
export class StreamTable implements RoutedStreams {
  readonly #scheduler: FrameScheduler;
  readonly #pings: Pings;
  readonly #released: ReleasedStreams;
  readonly #settings: SessionSettings;
  readonly #host: StreamTableHost;
  readonly #streamSettings: StreamSettings;
  readonly #channelHost: ChannelHost;
  readonly #channels = new Map<number, Channel>();
  readonly #acceptQueue: AcceptQueue;
  readonly #synLimiter: SynLimiter;
  /** Streams that were opened by the peer and are on the wire. */
  #incoming = 0;
  /** Streams that have frames to send yet, their FIN at least. */
  #talking = 0;
  #nextId: number;

  /** @param addresses - of the transport */
  constructor(
    scheduler: FrameScheduler,
    pings: Pings,
    released: ReleasedStreams,
    settings: SessionSettings,
    addresses: Addresses,
    host: StreamTableHost,
  ) {
    this.#scheduler = scheduler;
    this.#pings = pings;
    this.#released = released;
    this.#settings = settings;
    this.#host = host;
    this.#nextId = settings.client ? 1 : 2;
    const budget = new WindowBudget(settings.sessionWindowLimit);
    this.#streamSettings = {
      addresses,
      budget,
      openTimeout: settings.streamOpenTimeout,
      halfCloseTimeout: settings.streamCloseTimeout,
      closeTimeout: settings.closeTimeout,
    };
    this.#channelHost = this.#makeChannelHost(budget);
    this.#synLimiter = new SynLimiter(settings.acceptBacklog);
    this.#acceptQueue = new AcceptQueue(settings.acceptBacklog, (stream) => {
      this.#channels.get(stream.id)?.accept();
    });
  }

  /** Streams on the wire. */
  get size(): number {
    return this.#channels.size;
  }

  /** Whether no stream has frames to send. */
  get silent(): boolean {
    return this.#talking === 0;
  }

  /** Whether the peer has a half that it has not ended. */
  get hasOpenHalves(): boolean {
    for (const channel of this.#channels.values()) if (!channel.finReceived) return true;
    return false;
  }

  /** @throws `ERR_INVALID_STATE` when all numbers are used up, and what an option is wrong with */
  open(options: SocketDuplexOptions): YamuxStream {
    if (this.#nextId > MAX_UINT32) throw invalidState('the session has used up its stream numbers');
    const channel = new Channel(this.#channelHost, this.#nextId, false);
    this.#add(channel);
    this.#synLimiter.add(channel);
    try {
      const stream = new YamuxStream(channel, this.#streamSettings, {
        ...this.#settings.stream,
        ...options,
      });
      this.#nextId += 2;
      return stream;
    } catch (error) {
      channel.reset();
      throw error;
    }
  }

  find(id: number): Channel | undefined {
    return this.#channels.get(id);
  }

  /** Takes out a stream that waits for its user, the oldest first. */
  takeNow(): YamuxStream | undefined {
    return this.#acceptQueue.takeNow();
  }

  /**
   * Waits for the next stream that the peer opens; null at the end of the session. Rejects with its
   * error.
   */
  take(): Promise<YamuxStream | null> {
    return this.#acceptQueue.take();
  }

  onSyn(id: number): Channel | undefined {
    const listening = this.#host.isListening();
    const noPlace =
      this.#incoming >= this.#settings.maxStreams || (!listening && this.#acceptQueue.full);
    if (noPlace || !this.#host.takesStreams()) {
      this.#released.allow(INITIAL_WINDOW);
      this.#scheduler.sendReply(FrameType.windowUpdate, Flag.rst, id, 0);
      return undefined;
    }
    const channel = new Channel(this.#channelHost, id, true);
    const stream = new YamuxStream(channel, this.#streamSettings, this.#settings.stream);
    this.#incoming++;
    this.#add(channel);
    if (listening) {
      channel.accept();
      this.#host.onStream(stream);
    } else {
      this.#acceptQueue.add(stream);
    }
    return channel;
  }

  /** Closes every stream in order: what was written is still sent. */
  close(): void {
    for (const channel of [...this.#channels.values()]) channel.onSessionClosing();
  }

  /** Ends every stream at once; null if nothing was cut. */
  end(error: Error | null): void {
    this.#released.clear();
    for (const channel of [...this.#channels.values()]) channel.onSessionEnd(error);
    this.#channels.clear();
    if (error) this.endAccepting(error);
  }

  /**
   * Ends every loop over the session, with the error if there is one; without one only when it is
   * certain that none will come.
   */
  endAccepting(error: Error | null): void {
    this.#acceptQueue.end(error);
  }

  #makeChannelHost(budget: WindowBudget): ChannelHost {
    return {
      scheduler: this.#scheduler,
      budget,
      maxWindow: () => Math.min(this.#settings.maxStreamWindowSize, this.#host.largestBody()),
      firstWindow: this.#settings.streamWindowSize,
      roundTrip: () => {
        this.#pings.measure();
        return this.#pings.roundTrip;
      },
      onEstablished: (channel) => {
        this.#synLimiter.remove(channel);
      },
      onGone: (channel, released) => {
        this.#onGone(channel, released);
      },
      onLocalEnd: () => {
        this.#talking--;
        this.#host.onStreamEnd();
      },
    };
  }

  #add(channel: Channel): void {
    this.#channels.set(channel.id, channel);
    this.#talking++;
    // So that it is known when the first bytes come, and their window grows with the first credit.
    this.#pings.measure();
  }

  #onGone(channel: Channel, released: boolean): void {
    const { id } = channel;
    this.#channels.delete(id);
    if (!channel.finReceived) this.#released.allow(channel.window.open);
    const release = (): void => {
      if (!channel.established) this.#synLimiter.remove(channel);
    };
    if (!this.#isOurs(id)) this.#incoming--;
    else if (!released) release();
    // Until the peer has answered, its SYN has a place in the peer's backlog.
    if (released) this.#released.add(id, this.#isOurs(id) ? release : undefined);
    this.#host.onStreamEnd();
  }

  #isOurs(id: number): boolean {
    return id % 2 === this.#nextId % 2;
  }
}
