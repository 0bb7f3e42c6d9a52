import type { Duplex } from 'node:stream';

import { FrameWriter } from './frame-writer.ts';

/** One that has frames to send: a stream of the session. */
export interface Sender {
  /** Writes the control frames that are due. */
  sendControl(writer: FrameWriter, whenSent: WhenSent): void;
  /** Writes at most one data frame; true if it could write another one at once. */
  sendData(writer: FrameWriter, whenSent: WhenSent): boolean;
}

/** Has a callback called when the transport has got rid of what was written so far. */
export type WhenSent = (callback: () => void) => void;

export interface OutboxEvents {
  /** The transport has got rid of a run of frames. */
  readonly onSent: () => void;
  /** Too many replies wait, because the peer asks without reading; once. */
  readonly onFlood: () => void;
}

/** A frame of the session itself: a ping, a GoAway, the refusal of a stream. */
interface SessionFrame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly length: number;
}

/** Bytes after which a run is handed to the transport: what a control frame may have to wait behind. */
const RUN_BYTES = 65_536;

/** Runs after which one flush lets the event loop turn, so that a fast transport does not keep it from everything else. */
const RUNS_PER_TURN = 16;

/** Frames of the session that may wait for the transport. Honest peers cause a handful; a flood is cut off here. */
const MAX_SESSION_FRAMES = 4_096;

/**
 * Decides which frame is next. Control frames go before data, and of the streams that have data each sends one frame in
 * turn. All frames of one turn of the event loop leave together; a transport that has enough is left in peace.
 */
export class Outbox {
  readonly #transport: Duplex;
  readonly #writer: FrameWriter;
  readonly #events: OutboxEvents;
  #sessionFrames: SessionFrame[] = [];
  #urgent = new Set<Sender>();
  /** Those whose turn is to come in this round and in the next. */
  #round = new Set<Sender>();
  #next = new Set<Sender>();
  #sent: (() => void)[] = [];
  #scheduled = false;
  #flushing = false;
  #flooded = false;
  #stopped = false;

  constructor(transport: Duplex, events: OutboxEvents) {
    this.#transport = transport;
    this.#events = events;
    this.#writer = new FrameWriter(transport);
  }

  /** Sends a frame of the session itself; `whenSent` comes when the transport has got rid of it. */
  sendFrame(type: number, flags: number, streamId: number, length: number, whenSent?: () => void): void {
    if (this.#stopped) return;
    this.#sessionFrames.push({ type, flags, streamId, length });
    if (whenSent) this.#sent.push(whenSent);
    this.#schedule();
    if (this.#sessionFrames.length <= MAX_SESSION_FRAMES || this.#flooded) return;
    this.flush();
    if (this.#sessionFrames.length <= MAX_SESSION_FRAMES) return;
    this.#flooded = true;
    this.#events.onFlood();
  }

  /** Lets a sender write its control frames, before any data. */
  wantControl(sender: Sender): void {
    if (this.#stopped) return;
    this.#urgent.add(sender);
    this.#schedule();
  }

  /** Lets a sender write data when its turn comes. */
  wantData(sender: Sender): void {
    if (this.#stopped || this.#round.has(sender)) return;
    this.#next.add(sender);
    this.#schedule();
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

  /** Sends no more, and forgets what waits. */
  stop(): void {
    this.#stopped = true;
    this.#sessionFrames = [];
    this.#urgent.clear();
    this.#round.clear();
    this.#next.clear();
    this.#sent = [];
  }

  readonly #whenSent: WhenSent = (callback) => {
    this.#sent.push(callback);
  };

  #transportTakes(): boolean {
    return this.#transport.writable && !this.#transport.writableNeedDrain;
  }

  #hasFrames(): boolean {
    return (
      this.#sessionFrames.length > 0 || this.#urgent.size > 0 || this.#round.size > 0 || this.#next.size > 0
    );
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
    const frames = this.#sessionFrames;
    this.#sessionFrames = [];
    for (const { type, flags, streamId, length } of frames) {
      this.#writer.header(type, flags, streamId, length);
    }
    for (const sender of this.#urgent) {
      this.#urgent.delete(sender);
      sender.sendControl(this.#writer, this.#whenSent);
    }
    this.#writeData();
    const sent = this.#sent;
    this.#sent = [];
    this.#writer.end(() => {
      this.#events.onSent();
      for (const callback of sent) callback();
    });
  }

  #writeData(): void {
    while (this.#writer.length < RUN_BYTES) {
      if (this.#round.size === 0) {
        if (this.#next.size === 0) return;
        [this.#round, this.#next] = [this.#next, this.#round];
      }
      for (const sender of this.#round) {
        this.#round.delete(sender);
        const more = sender.sendData(this.#writer, this.#whenSent);
        if (more) this.#next.add(sender);
        if (this.#writer.length >= RUN_BYTES) return;
      }
    }
  }
}
