import { WsConnError } from '../base/errors.ts';
import type { SocketDuplex } from '../base/socket-duplex.ts';
import { NORMAL_CLOSURE } from '../websocket/close-codes.ts';
import type { HalfClose } from './half-close.ts';
import type { Link } from './link/link.ts';

/**
 * - `open`: nobody ends the connection as a whole; each direction may have ended by itself.
 * - `closing`: close() runs. What was written leaves, Close behind it, and the peer has
 *   `closeTimeout` to answer.
 * - `failing`: the peer broke the protocol. A Close says so, and the peer has `closeTimeout` to
 *   answer.
 * - `finishing`: both directions have ended. Close 1000 is sent, and the peer answers when it has
 *   read to the end, however late.
 * - `endingTcp`: destroy() with nothing unsent. Close 1000 and the end of TCP are sent; the peer
 *   has `closeTimeout` to end too, and then the socket lingers without its stream.
 * - `terminated`: TCP was ended or reset without a Close.
 * - `closed`: the stream is done with its WebSocket.
 */
type Phase = 'open' | 'closing' | 'failing' | 'finishing' | 'endingTcp' | 'terminated' | 'closed';

/** What a Close frame says. */
interface CloseFrame {
  readonly code: number;
  readonly reason: string;
}

const NORMAL: CloseFrame = { code: NORMAL_CLOSURE, reason: '' };

/** What the end of a connection asks of its stream. */
export type CloseProcedureHost = Pick<
  SocketDuplex,
  'destroy' | 'destroyed' | 'end' | 'once' | 'readableEnded' | 'writableFinished' | 'writableLength'
>;

/**
 * Calls back when nothing of the connection is left; with an error that came up last of all, or
 * null.
 */
export type Done = (late: Error | null) => void;

/**
 * Ends a connection: one direction, where halves are closed, or as a whole, once, in the way that
 * the first reason for it asks for.
 */
export class CloseProcedure {
  readonly #stream: CloseProcedureHost;
  readonly #link: Link;
  readonly #halfClose: HalfClose;
  readonly #closeTimeout: number;
  #phase: Phase = 'open';
  /** What the Close frame says. */
  #close = NORMAL;
  #resetting = false;
  #done: Done | null = null;
  #late: Error | null = null;

  /** @param closeTimeout - time in ms that the peer has to answer a Close */
  constructor(stream: CloseProcedureHost, link: Link, halfClose: HalfClose, closeTimeout: number) {
    this.#stream = stream;
    this.#link = link;
    this.#halfClose = halfClose;
    this.#closeTimeout = closeTimeout;
  }

  /** Whether close() runs. */
  get isClosing(): boolean {
    return this.#phase === 'closing';
  }

  /** Whether the stream is being ended as a whole. */
  get begun(): boolean {
    return this.#phase !== 'open';
  }

  /**
   * Ends this direction, when all of it was sent: by a FIN where halves are closed, else by Close.
   * Calls `done` when that has left.
   */
  endWriting(done: () => void): void {
    this.#halfClose.whenKnown((agreed) => {
      if (agreed && this.#link.open && !this.isClosing) {
        this.#link.sendTogether(() => {
          this.#halfClose.sendFin(done);
          this.closeIfBothEnded();
        });
      } else {
        // Where the peer has closed there is nobody to tell, and nothing unsent, or Writable would
        // not be here.
        this.sendClose();
        done();
      }
    });
  }

  /** Sends Close when both directions have had their FIN. */
  closeIfBothEnded(): void {
    if (this.#halfClose.bothEnded) this.sendClose();
  }

  /**
   * Sends what was written and then Close, as close() does; what has begun to end otherwise only
   * gets its time limit.
   */
  close(code: number, reason: string): void {
    if (this.#phase === 'finishing') {
      this.#enter('closing', () => {
        this.#onCloseLimit();
      });
      return;
    }
    if (this.#phase !== 'open') return;
    this.#close = { code, reason };
    this.#enter('closing', () => {
      this.#onCloseLimit();
    });
    this.#link.resume();
    if (this.#stream.writableFinished) {
      this.sendClose();
    } else {
      this.#stream.once('finish', () => {
        this.sendClose();
      });
      this.#stream.end();
    }
    this.#halfClose.giveUp();
  }

  /** Sends the Close that is due: that of close(), or 1000. */
  sendClose(): void {
    this.#link.sendClose(this.#close.code, this.#close.reason);
  }

  /**
   * Fails the connection for what the peer sent.
   * @param close - what the peer is to be told, where ws has not told it already
   */
  fail(error: WsConnError, close?: CloseFrame): void {
    if (this.#stream.destroyed) return;
    if (close) this.#link.sendClose(close.code, close.reason);
    // Where close() runs, its time limit leaves none for this, and the peer is cut.
    if (this.#phase === 'open') this.#phase = 'failing';
    this.#stream.destroy(error);
  }

  /** Resets the connection in place of ending it. */
  reset(): void {
    this.#resetting = true;
    if (this.#phase === 'finishing') this.#link.reset();
    else this.#stream.destroy();
  }

  /**
   * destroy() was called on a stream that has ended by itself: it waits for the peer no longer than
   * any other.
   */
  destroyAgain(error: Error | null): void {
    if (this.#phase !== 'finishing') return;
    if (error) {
      this.#late = error;
      this.#link.terminate();
    } else {
      this.#closeAndEndTcp();
    }
  }

  /** Ends the connection of a stream that is being destroyed, and calls `done` once. */
  hangUp(error: Error | null, done: Done): void {
    this.#done = done;
    const { readableEnded, writableFinished, writableLength } = this.#stream;
    const bothEnded = error === null && readableEnded && writableFinished;
    if (this.#link.closed) {
      this.onWebSocketClosed();
    } else if (this.#resetting) {
      this.#phase = 'terminated';
      this.#link.reset();
    } else if (this.#phase === 'failing') {
      this.#enter('failing', () => {
        this.#link.terminate();
      });
      this.#link.resume();
    } else if (this.#phase === 'closing' && error === null && writableLength === 0) {
      // Its limit runs.
      this.sendClose();
    } else if (error !== null || writableLength > 0 || this.#link.connecting) {
      this.#phase = 'terminated';
      this.#link.terminate();
    } else if (bothEnded) {
      this.#phase = 'finishing';
      this.sendClose();
      this.#link.resume();
    } else {
      this.#closeAndEndTcp();
    }
  }

  /** The WebSocket has closed: nothing of the connection is left. */
  onWebSocketClosed(): void {
    this.#phase = 'closed';
    this.#halfClose.release();
    const done = this.#done;
    this.#done = null;
    done?.(this.#late);
  }

  /** Enters a phase that lasts at most `closeTimeout`. */
  #enter(phase: Phase, expired: () => void): void {
    this.#phase = phase;
    this.#link.limit(this.#closeTimeout, expired);
  }

  #closeAndEndTcp(): void {
    this.#enter('endingTcp', () => {
      this.#link.linger();
      this.onWebSocketClosed();
    });
    this.sendClose();
    this.#link.endTcp();
    this.#link.resume();
  }

  #onCloseLimit(): void {
    if (this.#link.closeAnswered) {
      // Only the peer's TCP end is missing, and with it no byte.
      this.#link.terminate();
      return;
    }
    const limit = `close() was not answered within ${String(this.#closeTimeout)} ms`;
    const unsent = `${String(this.#stream.writableLength)} written bytes were not all sent`;
    const stake = `${unsent}, and what was sent may not have arrived`;
    const error = new WsConnError('ETIMEDOUT', `${limit}; ${stake}`);
    if (this.#stream.destroyed) {
      // Both directions had ended by themselves: the stream waits for nothing but this.
      this.#late = error;
      this.#link.terminate();
    } else {
      this.#stream.destroy(error);
    }
  }
}
