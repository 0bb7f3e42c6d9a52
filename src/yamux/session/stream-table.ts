import { invalidState } from '../../base/errors.ts';
import type { Addresses, SocketDuplexOptions } from '../../base/socket-duplex.ts';
import { AcceptQueue } from './accept-queue.ts';
import { Channel, type ChannelHost } from '../stream/channel.ts';
import type { RoutedStreams } from './frame-router.ts';
import { Flag, FrameType, INITIAL_WINDOW, MAX_UINT32 } from '../wire/frame.ts';
import { Orphans } from './released-streams.ts';
import type { Outbox } from '../wire/frame-scheduler.ts';
import type { Pings } from './pings.ts';
import { WindowBudget } from '../stream/receive-window.ts';
import type { SessionSettings } from './options.ts';
import { type StreamSetup, YamuxStream } from '../stream/stream.ts';
import { SynGate } from './syn-limiter.ts';

/** What the streams of a session ask of it, and tell it. */
export interface StreamsOwner {
  /** Whether the peer may open streams. */
  readonly takesStreams: () => boolean;
  /** Whether somebody wants each stream as it comes; else it waits to be asked for. */
  readonly isListening: () => boolean;
  readonly onStream: (stream: YamuxStream) => void;
  /** No stream has frames to send any more. */
  readonly onSilent: () => void;
  /** Bytes of the largest body that the transport lets the peer send in one frame. */
  readonly largestBody: () => number;
  /** So many bytes may come yet for streams that are gone. */
  readonly onStrayAllowed: (bytes: number) => void;
  /** The peer broke the protocol. */
  readonly onViolation: (happened: string) => void;
}

/**
 * Keeps the streams of one session: those on the wire, those that wait for a user, and those that
 * were let go of.
 */
export class Streams implements RoutedStreams {
  readonly #outbox: Outbox;
  readonly #pings: Pings;
  readonly #settings: SessionSettings;
  readonly #options: SocketDuplexOptions;
  readonly #owner: StreamsOwner;
  readonly #setup: StreamSetup;
  readonly #host: ChannelHost;
  readonly #channels = new Map<number, Channel>();
  readonly #acceptQueue: AcceptQueue;
  readonly #synGate: SynGate;
  readonly #orphans: Orphans;
  /** Streams that were opened by the peer and are on the wire. */
  #incoming = 0;
  /** Streams that have frames to send yet, their FIN at least. */
  #talking = 0;
  #nextId: number;

  /**
   * @param options - of streams, unless `open()` gets others @param addresses - of the transport
   */
  constructor(
    outbox: Outbox,
    pings: Pings,
    settings: SessionSettings,
    options: SocketDuplexOptions,
    addresses: Addresses,
    owner: StreamsOwner,
  ) {
    this.#outbox = outbox;
    this.#pings = pings;
    this.#settings = settings;
    this.#options = options;
    this.#owner = owner;
    this.#nextId = settings.client ? 1 : 2;
    const budget = new WindowBudget(settings.sessionWindowLimit);
    this.#setup = {
      addresses,
      budget,
      openTimeout: settings.streamOpenTimeout,
      halfCloseTimeout: settings.streamCloseTimeout,
      closeTimeout: settings.closeTimeout,
    };
    this.#host = this.#makeHost(budget);
    this.#synGate = new SynGate(settings.acceptBacklog);
    this.#acceptQueue = new AcceptQueue(settings.acceptBacklog, (stream) => {
      this.#channels.get(stream.id)?.accept();
    });
    this.#orphans = new Orphans(settings.streamCloseTimeout, (id) => {
      this.#outbox.sendFrame(FrameType.windowUpdate, Flag.rst, id, 0);
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
    const channel = new Channel(this.#host, this.#nextId, false);
    this.#add(channel);
    this.#synGate.add(channel);
    try {
      const stream = new YamuxStream(channel, this.#setup, { ...this.#options, ...options });
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
  takeWaiting(): YamuxStream | undefined {
    return this.#acceptQueue.take();
  }

  /**
   * Gives the next stream that the peer opens, or the end of the session; rejects with its error.
   */
  next(): Promise<IteratorResult<YamuxStream, undefined>> {
    return this.#acceptQueue.next();
  }

  onSyn(id: number): Channel | undefined {
    if (this.#orphans.has(id)) {
      this.#owner.onViolation(`the peer opened stream ${String(id)} twice`);
      return undefined;
    }
    const listening = this.#owner.isListening();
    const noPlace =
      this.#incoming >= this.#settings.maxStreams || (!listening && this.#acceptQueue.full);
    if (noPlace || !this.#owner.takesStreams()) {
      this.#owner.onStrayAllowed(INITIAL_WINDOW);
      this.#outbox.sendReply(FrameType.windowUpdate, Flag.rst, id, 0);
      return undefined;
    }
    const channel = new Channel(this.#host, id, true);
    const stream = new YamuxStream(channel, this.#setup, this.#options);
    this.#incoming++;
    this.#add(channel);
    if (listening) {
      channel.accept();
      this.#owner.onStream(stream);
    } else {
      this.#acceptQueue.add(stream);
    }
    return channel;
  }

  onStray(id: number): void {
    this.#orphans.reset(id);
  }

  onStrayAnswer(id: number): void {
    this.#orphans.onAnswer(id);
  }

  onStrayEnd(id: number): void {
    this.#orphans.remove(id);
  }

  /** Closes every stream in order: what was written is still sent. */
  close(): void {
    for (const channel of [...this.#channels.values()]) channel.onSessionClosing();
  }

  /** Ends every stream at once; null if nothing was cut. */
  end(error: Error | null): void {
    this.#orphans.clear();
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

  #makeHost(budget: WindowBudget): ChannelHost {
    return {
      outbox: this.#outbox,
      budget,
      maxWindow: () => Math.min(this.#settings.maxStreamWindowSize, this.#owner.largestBody()),
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
        if (this.silent) this.#owner.onSilent();
      },
    };
  }

  #add(channel: Channel): void {
    this.#channels.set(channel.id, channel);
    this.#talking++;
    // So that it is known when the first bytes come, and their window grows with the first credit.
    this.#pings.measure();
  }

  #onGone(channel: Channel, orphaned: boolean): void {
    const { id } = channel;
    this.#channels.delete(id);
    if (!channel.finReceived) this.#owner.onStrayAllowed(channel.window.open);
    const release = (): void => {
      if (!channel.established) this.#synGate.remove(channel);
    };
    if (!this.#isOurs(id)) this.#incoming--;
    else if (!orphaned) release();
    // Until the peer has answered, its SYN has a place in the peer's backlog.
    if (orphaned) this.#orphans.add(id, this.#isOurs(id) ? release : undefined);
  }

  #isOurs(id: number): boolean {
    return id % 2 === this.#nextId % 2;
  }
}
