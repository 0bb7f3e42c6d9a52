import { Deadline } from '../../base/deadline.ts';
import { WsConnError } from '../../base/errors.ts';
import type { CloseProcedureHost, Done } from '../../adapter/close-procedure.ts';
import type { ClosedWebSocket } from '../../adapter/link/connection-errors.ts';
import { NO_CLOSE_FRAME, NORMAL_CLOSURE } from '../../websocket/close-codes.ts';
import type { WebSocketCarrier } from './carrier.ts';
import { timeLimitError } from './resume-errors.ts';
import type { EndPhase } from './end-phase.ts';
import type { Role } from './role.ts';
import type { Session } from '../session/session.ts';
import { type CloseSaid, encodeClose } from '../wire/message.ts';

/** What is ended. */
interface Ending {
  readonly session: Session;
  /** Bytes that were written and that the peer has not acknowledged. */
  readonly unackedBytes: number;
}

/** What ABORT says where nobody has given a code. */
const BROKEN_OFF: CloseSaid = { code: NO_CLOSE_FRAME, reason: '' };

/** Ends a connection that outlives its WebSocket, once, with what the peer is to be told of it. */
export class EndProcedure {
  readonly #stream: CloseProcedureHost;
  readonly #connection: Ending;
  readonly #session: Session;
  readonly #role: Role;
  readonly #closeTimeout: number;
  #carrier: WebSocketCarrier | null = null;
  #phase: EndPhase = 'open';
  #close: CloseSaid | null = null;
  /** Whether nothing can be said or heard any more. */
  #over = false;
  #complete = false;
  #confirming = false;
  #resetting = false;
  #outOfTime = false;
  #limit: Deadline | null = null;
  #done: Done | null = null;
  #late: Error | null = null;

  /** @param closeTimeout - time in ms that the peer has for what an end asks of it */
  constructor(stream: CloseProcedureHost, connection: Ending, role: Role, closeTimeout: number) {
    this.#stream = stream;
    this.#connection = connection;
    this.#session = connection.session;
    this.#role = role;
    this.#closeTimeout = closeTimeout;
  }

  /** Whether the stream is being ended as a whole. */
  get begun(): boolean {
    return this.#phase !== 'open';
  }

  /** Whether close() runs. */
  get isClosing(): boolean {
    return this.#phase === 'closing';
  }

  get closed(): boolean {
    return this.#phase === 'closed';
  }

  /** Whether nothing can be said or heard any more. */
  get over(): boolean {
    return this.#over;
  }

  get aborting(): boolean {
    return this.#phase === 'aborting';
  }

  /** Whether the stream needs no other WebSocket. */
  get settled(): boolean {
    return this.#over || this.#complete || this.closed || this.aborting;
  }

  /** The code that close() was given. */
  get ownCode(): number | undefined {
    return this.#close?.code;
  }

  /** What is to be said of an end that the peer has not acknowledged. */
  get said(): CloseSaid {
    return this.#close ?? BROKEN_OFF;
  }

  /** It runs over this WebSocket now. */
  onCarrier(carrier: WebSocketCarrier): void {
    this.#carrier = carrier;
    if (this.#phase === 'aborting') this.#sayAbort(carrier);
    else if (this.#complete) carrier.link.sendClose(NORMAL_CLOSURE);
  }

  /** The WebSocket has closed. */
  onCarrierClosed(closed: ClosedWebSocket): void {
    this.#carrier = null;
    this.#confirming = false;
    const heard = closed.code !== NO_CLOSE_FRAME;
    if (this.aborting && !heard && !this.#outOfTime) {
      this.#role.sayAborted(this.#finish);
    } else if (this.aborting || this.#session.out.endAcked) {
      this.#finish();
    } else if (this.#complete && !heard) {
      this.#confirming = true; // The peer may lack the acknowledgement of its FIN or END.
      this.#role.confirm(() => {
        this.#confirming = false;
        this.#finish();
      });
    } else if (this.#over || this.#complete) {
      this.#finish();
    }
  }

  /** Sends what was written and then END, as close() does. */
  close(close: CloseSaid): void {
    if (this.#phase === 'finishing') this.#startLimit(this.#onCloseLimit);
    if (this.#phase !== 'open') return;
    if (this.#over || this.#complete) {
      this.#stream.destroy(); // Nothing is left to say, but something may be left to read.
      return;
    }
    this.#phase = 'closing';
    this.#close = close;
    this.#startLimit(this.#onCloseLimit);
    if (this.#stream.writableFinished) {
      this.#sayEnd(close);
    } else {
      this.#stream.once('finish', () => {
        this.#sayEnd(close);
      });
      this.#stream.end();
    }
  }

  /** Resets the connection in place of ending it. */
  reset(): void {
    this.#resetting = true;
    if (this.#stream.destroyed) this.destroyAgain(null);
    else this.#stream.destroy();
  }

  /** destroy() was called on a stream that has ended by itself, and waits for its peer. */
  destroyAgain(error: Error | null): void {
    if (this.#phase !== 'finishing') return;
    this.#late = error;
    if (error || this.#resetting) this.#abort();
    else this.#leave();
  }

  /** The connection is lost, or the peer has broken it off. */
  fail(error: WsConnError): void {
    if (this.closed) return;
    this.#over = true;
    this.#session.detach();
    if (!this.#stream.destroyed) {
      this.#stream.destroy(error);
      return;
    }
    if (!this.#session.complete) this.#late ??= error;
    this.#hangUpCarrier();
  }

  /** The peer breaks the protocol, and is told so. */
  violated(problem: string, code: number): void {
    this.#carrier?.send(encodeClose('abort', { code, reason: problem }));
    this.fail(new WsConnError('EPROTO', problem));
  }

  /** The peer has said END, and knows that it came. */
  onPeerEnd(): void {
    this.#over = true;
    this.#onComplete();
  }

  /** The peer has acknowledged something, or ended its direction. */
  onProgress(): void {
    if (this.#session.complete) this.#onComplete();
  }

  /** Ends the connection of a stream that is being destroyed, and calls `done` once. */
  hangUp(error: Error | null, done: Done): void {
    this.#done = done;
    const { readableEnded, writableFinished, writableLength } = this.#stream;
    if (this.#over || this.#complete) {
      this.#hangUpCarrier();
    } else if (error || this.#resetting || writableLength > 0) {
      this.#abort();
    } else if (this.#phase === 'closing') {
      if (this.#close) this.#sayEnd(this.#close);
    } else if (readableEnded && writableFinished) {
      this.#phase = 'finishing';
    } else {
      this.#leave();
    }
  }

  #sayEnd(close: CloseSaid): void {
    if (this.#over) return;
    this.#session.out.writeEnd(close);
    this.#session.pump();
  }

  #leave(): void {
    this.#phase = 'leaving';
    this.#startLimit(() => {
      const { unackedBytes } = this.#connection;
      // What a WebSocket carries goes on, as the kernel does it for TCP.
      if (!this.#carrier && unackedBytes > 0) {
        const happened = 'the stream was destroyed while there was no WebSocket';
        this.#late = timeLimitError(happened, unackedBytes);
      }
      this.#finish();
    });
    this.#session.out.writeFin();
    this.#sayEnd({ code: NORMAL_CLOSURE, reason: '' });
  }

  #abort(): void {
    this.#phase = 'aborting';
    this.#startLimit(this.#finish);
    if (this.#carrier) this.#sayAbort(this.#carrier);
    else if (this.#outOfTime) this.#finish();
    else this.#role.sayAborted(this.#finish);
  }

  #sayAbort(carrier: WebSocketCarrier): void {
    this.#over = true;
    this.#session.detach();
    carrier.send(encodeClose('abort', BROKEN_OFF));
    if (this.#outOfTime) carrier.link.terminate();
    else carrier.link.sendClose(NORMAL_CLOSURE);
  }

  /** All is said and heard. */
  #onComplete(): void {
    if (this.#complete) return;
    this.#complete = true;
    this.#session.acknowledgeNow();
    this.#carrier?.link.sendClose(this.#close?.code ?? NORMAL_CLOSURE, this.#close?.reason);
    if (this.#phase === 'closing' && !this.#stream.destroyed) this.#stream.destroy();
    else if (this.#done) this.#hangUpCarrier();
  }

  /** Waits for the WebSocket to close, after which nothing is left. */
  #hangUpCarrier(): void {
    if (!this.#carrier && !this.#confirming) {
      this.#finish();
      return;
    }
    this.#carrier?.link.sendClose(NORMAL_CLOSURE);
    this.#startLimit(this.#finish);
  }

  readonly #finish = (): void => {
    const done = this.#done;
    if (!done) return;
    this.#phase = 'closed';
    this.#limit?.stop();
    if (this.#over || this.#complete) this.#carrier?.link.terminate();
    this.#role.stop();
    // What a WebSocket still carries behind destroy() goes on until that has closed.
    if (this.#over || this.#complete || !this.#carrier) this.#session.clear();
    this.#done = null;
    done(this.#late);
  };

  /** Starts the time that an end may take; the first counts. */
  #startLimit(expired: () => void): void {
    if (this.#limit) return;
    this.#limit = new Deadline(expired);
    this.#limit.start(this.#closeTimeout);
    this.#limit.ref();
    if (!this.#carrier) this.#role.hurry();
  }

  readonly #onCloseLimit = (): void => {
    // Only the peer's Close may be missing, and with it no byte.
    if (this.#complete) {
      this.#finish();
      return;
    }
    const happened = `close() was not acknowledged within ${String(this.#closeTimeout)} ms`;
    const error = timeLimitError(happened, this.#connection.unackedBytes);
    this.#outOfTime = true;
    if (!this.#stream.destroyed) {
      this.#stream.destroy(error);
      return;
    }
    this.#late = error;
    this.#abort();
  };
}
