import type { Link } from '../../adapter/link/link.ts';
import { WsConnError } from '../../base/errors.ts';
import type { PausableSource, ReceiveBuffer } from '../../base/receive-buffer.ts';
import type { SocketDuplex } from '../../base/socket-duplex.ts';
import type { Session } from '../session/session.ts';
import { stake } from './resume-errors.ts';

/** What the budget may ask of a connection that has a share of it. */
export interface ShareOwner {
  /** Ends the connection: its bytes are too much. */
  giveUp(happened: string): void;
  /** There is room again for a connection that waits, or it is its turn. */
  relieve(): void;
  /** Ends its WebSocket: the connection's turn has brought nothing. */
  cut(): void;
}

/** Share of one connection in what all of a server may keep. */
export interface Share {
  /** Whether the connection is to keep no more than it must. */
  readonly over: boolean;
  /** It keeps so many bytes now. */
  update(bytes: number): void;
  /** It waits until there is room: its owner is told. */
  wait(): void;
  /** Whether it may read on now, which it has asked for. */
  readonly hasTurn: boolean;
  /** Asks to read on although it keeps too much; its owner is told when it may. */
  askForTurn(): void;
  /** Asks no longer, or has read on. */
  endTurn(): void;
  /** It has no WebSocket. */
  hold(): void;
  /** It has a WebSocket again. */
  release(): void;
  /** It is over, and keeps nothing. */
  close(): void;
}

/** What all connections of a server may keep. */
export interface Budget {
  open(owner: ShareOwner): Share;
}

/**
 * Reports what a connection keeps, unacknowledged or unread, and holds it back while all of the
 * server keep too much: its writer waits for acknowledgements where the high-water mark is kept,
 * and its WebSocket is paused while as much waits for a reader, as that of a plain adapter is. Else
 * a stopped reader pauses nothing: acknowledgements come on, and a cut is seen.
 */
export class HoldBack implements PausableSource {
  readonly #share: Share | undefined;
  readonly #stream: SocketDuplex;
  readonly #session: Session;
  readonly #received: ReceiveBuffer;
  readonly #fail: (error: WsConnError) => void;
  #link: Link | null = null;
  #lost: Error | undefined;
  /** Whether as much as the reader's high-water mark waits for him. */
  #full = false;
  #readsOn = false;
  /** What the peer had acknowledged when it began to owe more; null while it does not. */
  #owedFrom: number | null = null;

  /**
   * @param budget - what all may keep; left out, nothing is held back
   * @param fail - ends the connection
   */
  constructor(
    budget: Budget | undefined,
    stream: SocketDuplex,
    session: Session,
    received: ReceiveBuffer,
    fail: (error: WsConnError) => void,
  ) {
    this.#stream = stream;
    this.#session = session;
    this.#received = received;
    this.#fail = fail;
    this.#share = budget?.open({
      giveUp: (happened) => {
        this.#giveUp(happened);
      },
      relieve: () => {
        this.#balance();
        session.onRoom();
      },
      cut: () => {
        this.#link?.terminate();
      },
    });
  }

  /** Bytes that the stream may write now. */
  get room(): number {
    const { room } = this.#session;
    if (!this.#share?.over || room === 0) return room;
    this.#share.wait();
    return Math.min(room, this.#allowance);
  }

  /** Bytes that came and that the user has not read. */
  get unread(): number {
    return this.#received.length + this.#stream.readableLength;
  }

  /**
   * Bytes of them that the reader does not wait for: what it wants to get at once is as good as read,
   * or nothing more would ever come where that is more than the window.
   */
  get untouched(): number {
    return Math.max(0, this.unread - this.#received.wanted);
  }

  /** The reader has enough. */
  pause(): void {
    this.#full = true;
    this.update();
  }

  /** The reader takes more. */
  resume(): void {
    this.#full = false;
    this.update();
  }

  /** Something was written, acknowledged, received or read. */
  update(): void {
    if (!this.#share) return;
    this.#share.update(this.#session.out.unackedBytes + this.unread);
    this.#balance();
  }

  /** It runs over this WebSocket now. */
  attach(link: Link): void {
    this.#link?.resume();
    this.#link = link;
    this.#owe(false);
    this.#share?.release();
    this.update();
  }

  /** The WebSocket is gone. */
  detach(lost: Error): void {
    this.#link = null;
    this.#lost = lost;
    this.#owe(false);
  }

  /** The connection waits for its client. */
  hold(): void {
    this.#share?.hold();
  }

  /** Nobody reads any more: what comes is thrown away. */
  readOn(): void {
    this.#readsOn = true;
    this.#link?.resume();
    this.update();
  }

  /** The connection is over. */
  close(): void {
    this.#share?.close();
  }

  /** Bytes that may wait for acknowledgements while all keep too much. */
  get #mostUnacked(): number {
    return Math.max(1, this.#stream.writableHighWaterMark);
  }

  /** Bytes that may be written while all keep too much. */
  get #allowance(): number {
    return Math.max(0, this.#mostUnacked - this.#session.out.unackedBytes);
  }

  #balance(): void {
    const share = this.#share;
    if (!share || !this.#link) return;
    if (!share.over || !this.#full || this.#readsOn) {
      this.#owe(false);
      this.#link.resume();
      return;
    }
    share.wait();
    // Acknowledgements come behind what is unread: paused, neither direction would ever go on. So
    // those that wait for both read on in turn.
    this.#owe(this.#allowance === 0);
    if (share.hasTurn) this.#link.resume();
    else this.#link.pause();
  }

  #owe(owed: boolean): void {
    const { acked } = this.#session.out;
    if (owed && this.#owedFrom !== null) {
      if (acked - this.#owedFrom < this.#mostUnacked) return;
      // It has acknowledged what it owed, and owes anew: others are next.
      this.#share?.endTurn();
    }
    if (!owed && this.#owedFrom === null) return;
    this.#owedFrom = owed ? acked : null;
    if (owed) this.#share?.askForTurn();
    else this.#share?.endTurn();
  }

  #giveUp(happened: string): void {
    const { unackedBytes } = this.#session.out;
    const lost = `${stake(unackedBytes)}, and ${String(this.unread)} that came were not read`;
    const error = new WsConnError('ECONNRESET', `${happened}${lost}`, {
      cause: this.#lost,
    });
    this.#fail(error);
  }
}
