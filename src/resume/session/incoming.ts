import type { CloseSaid, Progress } from '../wire/message.ts';

/** What of a message is new. */
export type Arrival = Buffer | 'known' | { readonly violation: string };

/**
 * Counts what comes from the peer, byte by byte over all WebSockets, so that each is taken once and
 * in order.
 */
export class Incoming {
  readonly #window: number;
  /** Bytes that were received. */
  #bytes = 0;
  /** Numbers that were received: bytes, FIN, END. */
  #received = 0;
  #consumed = 0;
  /** Number of what comes next on the WebSocket of now. */
  #next = 0;
  #fin = false;
  #end: CloseSaid | null = null;

  /** @param window - bytes that the peer may send beyond what was consumed */
  constructor(window: number) {
    this.#window = window;
  }

  /** How far we have got. */
  get progress(): Progress {
    return { received: this.#received, consumed: this.#consumed };
  }

  get received(): number {
    return this.#received;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get finReceived(): boolean {
    return this.#fin;
  }

  /** The deliberate end that the peer has said. */
  get end(): CloseSaid | null {
    return this.#end;
  }

  /**
   * Starts over on another WebSocket, on which the peer sends from that number on; false where
   * something would be missing before it.
   */
  startAt(start: number): boolean {
    this.#next = start;
    return start <= this.#received;
  }

  /** Takes the data of a message, and returns what of it is new. */
  onData(bytes: Buffer): Arrival {
    const known = this.#received - this.#next;
    this.#next += bytes.length;
    if (bytes.length <= known) return 'known';
    if (this.#fin || this.#end) return { violation: 'bytes behind the end' };
    if (this.#next > this.#consumed + this.#window) {
      return { violation: 'more bytes than the window allows' };
    }
    const fresh = known > 0 ? bytes.subarray(known) : bytes;
    this.#received += fresh.length;
    this.#bytes += fresh.length;
    return fresh;
  }

  /** Takes the FIN; returns whether it is new, or what is wrong with it. */
  onFin(): true | 'known' | { readonly violation: string } {
    if (this.#isKnown()) return 'known';
    if (this.#fin || this.#end) return { violation: 'a FIN behind the end' };
    this.#fin = true;
    return true;
  }

  /** Takes the deliberate end; returns whether it is new, or what is wrong with it. */
  onEnd(close: CloseSaid): true | 'known' | { readonly violation: string } {
    if (this.#isKnown()) return 'known';
    if (this.#end) return { violation: 'an END behind the end' };
    this.#end = close;
    return true;
  }

  /** Records that the user has yet to read so many of the bytes that came. */
  consumedBut(unread: number): void {
    const consumed = unread === 0 ? this.#received : this.#bytes - unread;
    this.#consumed = Math.max(this.#consumed, consumed);
  }

  /** Counts a FIN or END, and tells whether it came before. */
  #isKnown(): boolean {
    this.#next++;
    if (this.#next <= this.#received) return true;
    this.#received++;
    return false;
  }
}
