import { isolate, WsConnError } from '../../base/errors.ts';
import type { Write } from '../../base/write-run.ts';
import type { FrameRun } from '../wire/frame-run.ts';
import type { FrameScheduler, Sender } from '../wire/frame-scheduler.ts';
import type { FrameWriter } from '../wire/frame-writer.ts';
import { Flag, FrameType, HEADER_SIZE } from '../wire/frame.ts';
import { LocalEnd } from './local-end.ts';
import { ReceiveWindow, type WindowBudget } from './receive-window.ts';
import { SendHalf } from './send-half.ts';

/** What happens on the wire of one stream. */
export interface ChannelEvents {
  /** The peer has taken the stream. */
  readonly onOpen: () => void;
  /** The stream has its user. */
  readonly onTaken: () => void;
  readonly onData: (piece: Buffer) => void;
  readonly onFin: () => void;
  readonly onReset: () => void;
  /** The session is about to end in order: what was written is still sent. */
  readonly onSessionClosing: () => void;
  /** No frame will come or go any more; null if nothing was cut. */
  readonly onSessionEnd: (error: Error | null) => void;
  /** After that: the transport has failed before it had taken the last frames of the stream. */
  readonly onLost: (error: Error) => void;
}

/** What a channel asks of its session. */
export interface ChannelHost {
  readonly scheduler: FrameScheduler;
  readonly budget: WindowBudget;
  /** Largest receive window, in bytes. */
  readonly maxWindow: () => number;
  /** First receive window, in bytes. */
  readonly firstWindow: number;
  /** Shortest round trip of late, in ms. */
  readonly roundTrip: () => number | undefined;
  /** The peer has taken a stream of ours. */
  readonly onEstablished: (channel: Channel) => void;
  /**
   * The stream has left the wire; `released` if the peer may go on sending, for it has not ended
   * its half.
   */
  readonly onGone: (channel: Channel, released: boolean) => void;
  /** The last frame of this side has gone out, or none will. */
  readonly onLocalEnd: () => void;
}

/**
 * Keeps one stream's state on the wire: both windows, what is due to be sent, and which half has
 * ended. It knows frames and not Node's streams; YamuxStream knows Node's streams and not frames.
 */
export class Channel implements Sender {
  readonly id: number;
  readonly window: ReceiveWindow;
  readonly #host: ChannelHost;
  #events: ChannelEvents | null = null;
  readonly #sendHalf = new SendHalf();
  readonly #localEnd: LocalEnd;
  /** Flags and bytes of window that the next control frame carries. */
  #flags = 0;
  #credit = 0;
  /** Whether frames may leave: the SYN has its place before all others. */
  #started = false;
  /** Whether the peer knows of the stream. */
  #known: boolean;
  #established: boolean;
  #finWanted = false;
  #finReceived = false;
  #gone = false;

  /** @param incoming - whether the peer has opened it */
  constructor(host: ChannelHost, id: number, incoming: boolean) {
    this.#host = host;
    this.#localEnd = new LocalEnd(host.onLocalEnd);
    this.id = id;
    this.#known = this.#started = this.#established = incoming;
    this.window = new ReceiveWindow(host.maxWindow, host.budget);
  }

  /** Whether the peer has taken the stream, or opened it. */
  get established(): boolean {
    return this.#established;
  }

  /** Whether the peer knows of the stream, or is about to. */
  get known(): boolean {
    return this.#known;
  }

  /** Whether the peer has ended its half. */
  get finReceived(): boolean {
    return this.#finReceived;
  }

  /** Whether the stream has left the wire: no frame will come. */
  get gone(): boolean {
    return this.#gone;
  }

  /** Reports to `events` what happens from now on; called once, before any frame. */
  attach(events: ChannelEvents): void {
    this.#events = events;
  }

  /** Sends the SYN, and from then on what was written. */
  start(): void {
    this.#started = true;
    this.#credit += this.window.widen(this.#host.firstWindow);
    this.#wantControl(Flag.syn);
    this.#wantData();
  }

  /** Sends the ACK: the stream has its user. */
  accept(): void {
    if (this.#gone) return;
    this.#credit += this.window.widen(this.#host.firstWindow);
    this.#wantControl(Flag.ack);
    this.#events?.onTaken();
  }

  /**
   * Sends the writes, `length` bytes in all; `whenSent` gets an error, `EPIPE`, on a tick of its own if there is nobody to
   * send them to.
   */
  send(writes: readonly Write[], length: number, whenSent: (error?: Error) => void): void {
    if (this.#gone) {
      process.nextTick(
        whenSent,
        new WsConnError('EPIPE', 'bytes were written after the end of the session'),
      );
      return;
    }
    this.#sendHalf.add(writes, length, whenSent);
    this.#wantData();
  }

  /**
   * Sends FIN; everything has been sent before. `whenTaken` comes when the transport has taken it
   * all.
   */
  finish(whenTaken: () => void): void {
    this.#localEnd.whenTaken(whenTaken);
    if (this.#gone) {
      // There is nobody to tell, but what was sent before may still be on its way out.
      this.#localEnd.settle();
      return;
    }
    this.#finWanted = true;
    this.#wantControl(Flag.fin);
  }

  /** Ends both halves at once, so that the peer sees `ECONNRESET`. */
  reset(): void {
    if (this.#gone) return;
    this.#forget();
    if (this.#known) this.#wantControl(Flag.rst);
    else this.#localEnd.skip();
    this.#leave(false);
  }

  /**
   * Leaves a stream of which everything was sent. Sends FIN, if it was not sent yet; the peer is
   * reset only if it sends more. Opens the window, so that a peer which waits to send more finds
   * out.
   */
  abandon(): void {
    if (this.#gone) return;
    if (!this.#known) {
      this.#forget();
      this.#localEnd.skip();
    } else {
      if (!this.#finReceived) this.#credit += this.window.reopen();
      this.#wantControl(this.#finWanted ? 0 : Flag.fin);
    }
    this.#leave(this.#known && !this.#finReceived);
  }

  /** Opens the window as far as the user has read. @param unread - bytes that wait for the user */
  consumed(unread: number): void {
    if (this.#gone || this.#finReceived || !this.window.isDue(unread)) return;
    this.#credit += this.window.credit(unread, this.#host.roundTrip(), performance.now());
    this.#wantControl(0);
  }

  /**
   * The peer has sent a frame other than RST, with or without the ACK flag: hashicorp sends none
   * after an early FIN.
   */
  onAnswer(): void {
    if (this.#established) return;
    this.#established = true;
    this.#host.onEstablished(this);
    isolate(() => this.#events?.onOpen());
  }

  /** The peer opens its window further; false if by more than a window can be. */
  onCredit(bytes: number): boolean {
    const possible = this.#sendHalf.widen(bytes);
    this.#wantData();
    return possible;
  }

  onBody(piece: Buffer): void {
    this.window.arrived(piece.length, performance.now());
    isolate(() => this.#events?.onData(piece));
  }

  onFin(): void {
    if (this.#finReceived) return;
    this.#finReceived = true;
    this.#events?.onFin();
    if (this.#localEnd.taken && !this.#gone) this.#leave(false);
  }

  onReset(): void {
    if (this.#gone) return;
    this.#forget();
    this.#localEnd.skip();
    this.#leave(false);
    this.#events?.onReset();
  }

  onSessionClosing(): void {
    this.#events?.onSessionClosing();
  }

  onSessionEnd(error: Error | null): void {
    this.#gone = true;
    this.#dropFrames();
    this.window.release();
    this.#events?.onSessionEnd(error);
    // A FIN that was not sent is of no use any more, where nothing was lost before it.
    this.#localEnd.settle((error) => this.#events?.onLost(error));
  }

  sendControl(writer: FrameWriter, run: FrameRun): void {
    const flags = this.#flags;
    const credit = this.#credit;
    this.#flags = this.#credit = 0;
    if (flags === 0 && credit === 0) return;
    writer.header(FrameType.windowUpdate, flags, this.id, credit);
    this.#known = true;
    if ((flags & (Flag.fin | Flag.rst)) === 0) return;
    this.#localEnd.sendIn(run, () => {
      if (this.#finReceived && !this.#gone) this.#leave(false);
    });
  }

  sendData(writer: FrameWriter, run: FrameRun): boolean {
    if (!this.#sendHalf.ready || writer.room <= HEADER_SIZE) return false;
    this.#localEnd.follow(run);
    this.#sendHalf.fill(writer, this.id);
    return this.#sendHalf.ready;
  }

  #wantData(): void {
    if (this.#started && this.#sendHalf.ready) this.#host.scheduler.wantData(this);
  }

  #wantControl(flags: number): void {
    this.#flags |= flags;
    if (this.#started) this.#host.scheduler.wantControl(this);
  }

  /** Drops what is due, what waits, and the callbacks. */
  #forget(): void {
    this.#dropFrames();
    this.#localEnd.forget();
  }

  #dropFrames(): void {
    this.#flags = this.#credit = 0;
    this.#sendHalf.clear();
    this.#host.scheduler.drop(this);
  }

  #leave(released: boolean): void {
    this.#gone = true;
    this.#host.onGone(this, released);
    this.window.release();
  }
}
