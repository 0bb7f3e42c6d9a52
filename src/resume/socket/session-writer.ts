import type { RunSender } from '../../adapter/write-batcher.ts';
import type { WriteCallback } from '../../base/pending-write.ts';
import { type Write, WriteRun } from '../../base/write-run.ts';
import type { Session } from '../session/session.ts';

/**
 * Has the session take runs of writes, as far as it has room. The callback of a run comes when the
 * session has all of it, since it keeps a copy.
 */
export class SessionWriter implements RunSender {
  readonly #session: Session;
  readonly #room: () => number;
  readonly #onActive: () => void;
  readonly #run = new WriteRun();
  /** Bytes of the run that the session has not taken. */
  #left = 0;
  #length = 0;
  #callback: WriteCallback | null = null;

  /**
   * @param room - returns the bytes that the session may take now
   * @param onActive - called when the session has taken something
   */
  constructor(session: Session, room: () => number, onActive: () => void) {
    this.#session = session;
    this.#room = room;
    this.#onActive = onActive;
  }

  /** Bytes of the run that the session has taken, and whose write is not done. */
  get taken(): number {
    return this.#length - this.#left;
  }

  send(writes: readonly Write[], length: number, callback: WriteCallback): void {
    this.#run.start(writes);
    this.#left = this.#length = length;
    this.#callback = callback;
    this.append();
  }

  takesAtOnce(length: number): boolean {
    return this.#room() >= length;
  }

  /** Has the session take what it has room for now. */
  append(): void {
    const callback = this.#callback;
    if (!callback) return;
    for (let room = this.#room(); room > 0 && this.#left > 0; room = this.#room()) {
      const length = Math.min(this.#left, room);
      this.#session.out.append(this.#run, length);
      this.#left -= length;
      // How much is kept in all has a say in how much room there is.
      this.#onActive();
      // The last message may have room for what is left.
      this.#session.pump(this.#left > 0);
    }
    // What waits to share its message would wait for the peer, which may wait for just that.
    if (this.#left > 0) this.#session.pump();
    // Who was told of the bytes may have had the rest of the run taken.
    if (this.#left > 0 || this.#callback !== callback) return;
    this.clear();
    callback();
  }

  /** Drops the run, and its callback. */
  clear(): void {
    this.#run.clear();
    this.#left = this.#length = 0;
    this.#callback = null;
  }
}
