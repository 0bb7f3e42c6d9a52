import net from 'node:net';
import type { Duplex } from 'node:stream';

import { SocketDuplex } from '../../base/socket-duplex.ts';
import { FrameRun } from './frame-run.ts';
import { FrameWriter, RUN_BYTES } from './frame-writer.ts';
import { Flag, FrameType, HEADER_SIZE } from './frame.ts';
import { InFlight } from './in-flight.ts';
import { SessionFrames } from './session-frames.ts';

/** One that has frames to send: a stream of the session. */
export interface Sender {
  /** Writes the control frames that are due, into that run. */
  sendControl(writer: FrameWriter, run: FrameRun): void;
  /** Writes at most one data frame into that run; true if it could write another one at once. */
  sendData(writer: FrameWriter, run: FrameRun): boolean;
}

/** What a scheduler reports to its session. */
export interface FrameSchedulerEvents {
  /** The transport was given a run of frames, of so many bytes. */
  readonly onWritten: (bytes: number) => void;
  /** Too many replies wait, because the peer asks without reading; once. */
  readonly onFlood: () => void;
}

/** Bytes of room below which no data frame is begun: the next run has more. */
const SMALLEST_ROOM = 4_096;

/**
 * Runs after which one flush lets the event loop turn, so that a fast transport does not keep it
 * from everything else.
 */
const RUNS_PER_TURN = 16;

/**
 * Decides which frame is next. Control frames go before data, and of the streams that have data
 * each sends one frame in turn. All frames of one turn of the event loop leave together; a
 * transport that has enough is left in peace.
 */
export class FrameScheduler {
  readonly #transport: Duplex;
  readonly #writer = new FrameWriter();
  readonly #events: FrameSchedulerEvents;
  readonly #sessionFrames = new SessionFrames();
  readonly #inFlight: InFlight;
  #urgent = new Set<Sender>();
  /** Those whose turn is to come in this round and in the next. */
  #round = new Set<Sender>();
  #next = new Set<Sender>();
  /** The run that is being put together, and those that the transport has not taken yet. */
  #run = new FrameRun();
  readonly #underWay = new Set<FrameRun>();
  #scheduled = false;
  #flushing = false;
  #floodReported = false;
  #stopped = false;

  constructor(transport: Duplex, events: FrameSchedulerEvents) {
    this.#transport = transport;
    this.#events = events;
    this.#inFlight = new InFlight(this.flush, performance.now());
  }

  /** Whether the transport was given frames that it has not taken yet. */
  get hasUntaken(): boolean {
    return this.#underWay.size > 0;
  }

  /** Sends a frame of the session itself; `whenSent` comes when the transport has got rid of it. */
  sendFrame(
    type: number,
    flags: number,
    streamId: number,
    length: number,
    whenSent?: () => void,
  ): void {
    if (this.#stopped) return;
    this.#sessionFrames.add({ type, flags, streamId, length, isReply: false }, whenSent);
    this.#schedule();
  }

  /** Sends a frame of the session that answers the peer: only so many may wait. */
  sendReply(type: number, flags: number, streamId: number, length: number): void {
    if (this.#stopped) return;
    this.#sessionFrames.add({ type, flags, streamId, length, isReply: true });
    this.#schedule();
    if (this.#sessionFrames.flooded) this.flush();
    if (!this.#sessionFrames.flooded || this.#floodReported) return;
    this.#floodReported = true;
    this.#events.onFlood();
  }

  /** Has a sender write its control frames, before any data. */
  wantControl(sender: Sender): void {
    if (this.#stopped) return;
    this.#urgent.add(sender);
    this.#schedule();
  }

  /** Has a sender write data when its turn comes. */
  wantData(sender: Sender): void {
    if (this.#stopped || this.#round.has(sender)) return;
    this.#next.add(sender);
    this.#schedule();
  }

  /** The peer has answered a ping: a mark of the scheduler, or one of others that took so long. */
  onAnswer(id: number, roundTrip: number | undefined): void {
    if (roundTrip !== undefined) this.#inFlight.onRoundTrip(roundTrip);
    // Not at once: answers come many together, and only the last shows how much is on its way.
    else if (this.#inFlight.onAnswer(id, performance.now())) this.#schedule();
  }

  /** Gives the transport from now on all that it takes: what is left of the session is to leave. */
  hurry(): void {
    this.#inFlight.lift();
    this.flush();
  }

  /** Forgets that a sender had something to send. */
  drop(sender: Sender): void {
    this.#urgent.delete(sender);
    this.#round.delete(sender);
    this.#next.delete(sender);
  }

  /** Sends what the transport takes. */
  readonly flush = (): void => {
    if (this.#flushing || this.#stopped) return;
    this.#flushing = true;
    try {
      for (let runs = 0; this.#hasFrames() && this.#transportTakes(); runs++) {
        if (runs === RUNS_PER_TURN) {
          setImmediate(this.flush);
          break;
        }
        this.#writeRun();
      }
    } finally {
      this.#flushing = false;
    }
  };

  /**
   * Sends what the transport takes, and the frames of the session also to one that has enough: they
   * are the last.
   */
  flushLast(): void {
    this.flush();
    const left = this.#sessionFrames.length > 0 && !this.#flushing && !this.#stopped;
    if (left && this.#transport.writable) this.#writeRun();
  }

  /** Sends no more, and forgets what waits. */
  stop(): void {
    this.#stopped = true;
    this.#inFlight.stop();
    this.#sessionFrames.clear();
    this.#urgent.clear();
    this.#round.clear();
    this.#next.clear();
  }

  /**
   * Calls back once the transport has taken, or lost, all that it was given so far; at once if
   * nothing is under way.
   */
  whenAllTaken(callback: () => void): void {
    const last = [...this.#underWay].at(-1);
    if (last) last.whenSettled(callback);
    else callback();
  }

  /** The transport is gone, and takes nothing any more: what it has not taken is lost. */
  giveUp(error: Error): void {
    const lost = [...this.#underWay];
    this.#underWay.clear();
    for (const run of lost) run.settle(error);
  }

  /**
   * Whether the transport is done with the memory of what it has sent, so that the next run may use
   * it again: warm memory that was never given back makes one stream half as fast again. Any other
   * Duplex may pass on what it got, as a PassThrough does.
   */
  #givesMemoryBack(): boolean {
    const transport = this.#transport;
    return transport instanceof SocketDuplex
      ? transport.givesMemoryBack
      : transport instanceof net.Socket;
  }

  #transportTakes(): boolean {
    return this.#transport.writable && !this.#transport.writableNeedDrain;
  }

  #hasFrames(): boolean {
    if (this.#sessionFrames.length > 0 || this.#urgent.size > 0) return true;
    if (this.#round.size === 0 && this.#next.size === 0) return false;
    // Bytes on their way that nothing marks would hold back the data for ever.
    return this.#inFlight.room >= SMALLEST_ROOM || this.#inFlight.isMarkDue(0);
  }

  /** Waits until the turn of the event loop is over, for what else it brings. */
  #schedule(): void {
    if (this.#scheduled || this.#flushing) return;
    this.#scheduled = true;
    process.nextTick(() => {
      this.#scheduled = false;
      this.flush();
    });
  }

  #writeRun(): void {
    if (this.#transport.writableLength === 0 && this.#givesMemoryBack()) this.#writer.rewind();
    this.#sessionFrames.writeTo(this.#writer);
    for (const sender of this.#urgent) {
      if (this.#writer.room < HEADER_SIZE) break;
      this.#urgent.delete(sender);
      sender.sendControl(this.#writer, this.#run);
    }
    // A run that is full to the byte makes the transport ask for a pause, and its memory is free then.
    const reserved = this.#inFlight.isMarkDue(RUN_BYTES) ? HEADER_SIZE : 0;
    this.#writer.limitTo(this.#inFlight.room, reserved);
    this.#writeData();
    this.#writeMark();
    if (this.#writer.length === 0) return;
    const run = this.#run;
    this.#run = new FrameRun();
    this.#underWay.add(run);
    const whenSent = this.#sessionFrames.takeCallbacks();
    const frames = this.#writer.take();
    this.#transport.write(frames, (error) => {
      // The transport reports its error itself. One that was destroyed calls back for what it has
      // dropped as if that had been sent: a net.Socket does.
      if (error || this.#transport.destroyed) return;
      for (const callback of whenSent) callback();
      if (this.#underWay.delete(run)) run.settle(null);
    });
    this.#inFlight.onWritten(frames.length);
    this.#events.onWritten(frames.length);
  }

  #writeMark(): void {
    const { length } = this.#writer;
    if (!this.#inFlight.isMarkDue(length)) return;
    const id = this.#inFlight.mark(length, performance.now());
    this.#writer.header(FrameType.ping, Flag.syn, 0, id);
  }

  #writeData(): void {
    while (this.#writer.room >= SMALLEST_ROOM) {
      if (this.#round.size === 0) {
        if (this.#next.size === 0) return;
        [this.#round, this.#next] = [this.#next, this.#round];
      }
      for (const sender of this.#round) {
        this.#round.delete(sender);
        if (sender.sendData(this.#writer, this.#run)) this.#next.add(sender);
        if (this.#writer.room < SMALLEST_ROOM) return;
      }
    }
  }
}
