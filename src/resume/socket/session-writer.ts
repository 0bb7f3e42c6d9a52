import { PendingWrite, type WriteCallback } from '../../base/pending-write.ts';
import type { SocketDuplex } from '../../base/socket-duplex.ts';
import { type Write, WriteRun } from '../../base/write-run.ts';
import type { Session } from '../session/session.ts';

/**
 * Has the session take the writes of a stream, one run at a time, as far as it has room. The
 * callback comes when it has all of the run: it keeps a copy.
 */
export class SessionWriter {
  readonly #stream: Pick<SocketDuplex, 'destroyed'>;
  readonly #session: Session;
  readonly #wholeMessage: number;
  readonly #onActive: () => void;
  readonly #pending = new PendingWrite();
  readonly #run = new WriteRun();
  /** Bytes of the run that the session has not taken. */
  #left = 0;
  #length = 0;
  #flushing = false;

  /**
   * @param wholeMessage - bytes that are a message of their own and need not wait
   * @param onActive - called when the session has taken something
   */
  constructor(
    stream: Pick<SocketDuplex, 'destroyed'>,
    session: Session,
    wholeMessage: number,
    onActive: () => void,
  ) {
    this.#stream = stream;
    this.#session = session;
    this.#wholeMessage = wholeMessage;
    this.#onActive = onActive;
  }

  /** Bytes of the writes that Writable was told of. */
  get bytesDone(): number {
    return this.#pending.bytesDone;
  }

  /** Bytes of the run that the session has taken, and whose write is not done. */
  get taken(): number {
    return this.#length - this.#left;
  }

  /** Takes a run of `length` bytes; the one before it must be done. */
  write(writes: readonly Write[], length: number, callback: WriteCallback): void {
    this.#pending.take(length, callback);
    this.#run.start(writes);
    this.#left = this.#length = length;
    this.append();
  }

  /** Has the session take what it has room for now. */
  append(): void {
    let { room } = this.#session;
    const before = this.#left;
    while (this.#left > 0 && room > 0) {
      const piece = this.#run.next(Math.min(this.#left, room));
      this.#session.out.append(piece);
      this.#left -= piece.length;
      room -= piece.length;
    }
    if (this.#left < before) {
      this.#onActive();
      this.flush();
    }
    if (this.#left > 0 || this.#stream.destroyed) return;
    this.#run.clear();
    this.#length = 0;
    this.#pending.settle(null);
  }

  /** Sends a whole message at once, and else all that the turn brings together. */
  flush(): void {
    if (this.#session.out.unsentBytes >= this.#wholeMessage) {
      this.#session.pump();
    } else if (!this.#flushing) {
      this.#flushing = true;
      process.nextTick(() => {
        this.#flushing = false;
        this.#session.pump();
      });
    }
  }

  /** Drops the run; `tell` is called on a tick of its own. */
  drop(tell: (settle: (error: Error | null) => void) => void): void {
    this.#run.clear();
    this.#left = this.#length = 0;
    process.nextTick(() => {
      tell((error) => {
        this.#pending.settle(error);
      });
    });
  }
}
