import { type CloseSaid, encodeClose, encodeFin, type Progress } from '../wire/message.ts';
import { type ByteRun, SendLog } from './send-log.ts';

/** What one side has to say, in order: bytes, then FIN, then END. Each byte and either end is a number. */
export class Outgoing {
  readonly #log: SendLog;
  readonly #ownWindow: number;
  #peerWindow: number;
  #finWritten = false;
  #end: CloseSaid | null = null;
  /** Number of the first that the peer has not received. */
  #acked = 0;
  #peerConsumed = 0;
  /** Number behind the last that was ever sent. */
  #sent = 0;
  /** Number of the next to be sent on the WebSocket of now. */
  #next = 0;

  /**
   * @param maxMessageSize - bytes of the largest message
   * @param window - bytes that may be kept without an acknowledgement
   */
  constructor(maxMessageSize: number, window: number) {
    this.#log = new SendLog(maxMessageSize);
    this.#ownWindow = window;
    this.#peerWindow = window;
  }

  /** Number of the first that the peer has not received, as far as it has said. */
  get acked(): number {
    return this.#acked;
  }

  /** Bytes that the peer has not received, as far as it has said. */
  get unackedBytes(): number {
    return Math.max(0, this.#log.end - this.#acked);
  }

  /** Bytes that were not sent on the WebSocket of now. */
  get unsentBytes(): number {
    return Math.max(0, this.#log.end - this.#next);
  }

  /** Whether something was not sent on the WebSocket of now: bytes, or an end. */
  get isBehind(): boolean {
    return this.#next < this.written;
  }

  /** Whether a message is ready that has room for no more. */
  get hasWholeMessage(): boolean {
    return this.#log.end - this.#next >= this.#log.mostData;
  }

  /** Number behind all that was written. */
  get written(): number {
    return this.#log.end + (this.#finWritten ? 1 : 0) + (this.#end ? 1 : 0);
  }

  /** Number behind the last that was ever sent. */
  get sent(): number {
    return this.#sent;
  }

  /** Bytes that may be written now. */
  get room(): number {
    const byPeer = Math.min(this.#peerConsumed, this.#log.end) + this.#peerWindow - this.#log.end;
    return Math.max(0, Math.min(byPeer, this.#ownWindow - this.#log.length));
  }

  get finWritten(): boolean {
    return this.#finWritten;
  }

  get finAcked(): boolean {
    return this.#finWritten && this.#acked > this.#log.end;
  }

  /** Whether the deliberate end was said. */
  get ending(): boolean {
    return this.#end !== null;
  }

  get endAcked(): boolean {
    return this.#end !== null && this.#acked >= this.written;
  }

  /** The peer keeps at most so many bytes that its user has not read. */
  set peerWindow(bytes: number) {
    this.#peerWindow = bytes;
  }

  /** Takes the next `length` bytes of a run; no more than `room`. */
  append(run: ByteRun, length: number): void {
    this.#log.append(run, length);
  }

  writeFin(): void {
    this.#finWritten = true;
  }

  writeEnd(close: CloseSaid): void {
    this.#end ??= close;
  }

  /** Records what the peer has said of itself; false where it names what was never sent. */
  onProgress({ received, consumed }: Progress): boolean {
    if (received > this.#sent) return false;
    if (received > this.#acked) {
      this.#acked = received;
      this.#release();
    }
    this.#peerConsumed = Math.max(this.#peerConsumed, consumed);
    return true;
  }

  /** Starts over on another WebSocket, with what the peer has not received. */
  rewind(): void {
    this.#next = this.#acked;
    this.#log.changeCarrier();
    this.#release();
  }

  /** Returns the next message; null if all was sent. */
  next(progress: Progress | null): Buffer | null {
    const data = this.#log.messageFrom(this.#next, progress);
    if (data) return this.#advance(data.message, data.next);
    if (this.#next >= this.written) return null;
    const isFin = this.#finWritten && this.#next === this.#log.end;
    if (isFin) return this.#advance(encodeFin(), this.#next + 1);
    return this.#end ? this.#advance(encodeClose('end', this.#end), this.#next + 1) : null;
  }

  /** Whether the next message would be data, which can carry an acknowledgement. */
  get nextIsData(): boolean {
    return this.#next < this.#log.end;
  }

  /** Whether the next message would be the deliberate end. */
  get nextIsEnd(): boolean {
    return this.#end !== null && this.#next === this.written - 1;
  }

  /** Drops what is kept: nobody will send it. */
  clear(): void {
    this.#log.clear();
  }

  #advance(message: Buffer, next: number): Buffer {
    this.#next = next;
    this.#sent = Math.max(this.#sent, next);
    if (this.#log.acked < this.#acked) this.#release();
    return message;
  }

  /**
   * Keeps no longer what the peer has, but for what is still to be sent on the WebSocket of now: the
   * one before may have brought more than the peer had when this one began, and a WebSocket has all
   * from its start on.
   */
  #release(): void {
    this.#log.acknowledge(Math.min(this.#acked, this.#next));
  }
}
