import { type CloseSaid, decode, encodeAck, type Message, type Progress } from '../wire/message.ts';
import { AckPolicy } from './ack-policy.ts';
import { Incoming } from './incoming.ts';
import { Outgoing } from './outgoing.ts';
import type { Carrier, SessionEvents, SessionSettings } from './session-host.ts';

/**
 * Acknowledgements for as many bytes as the window has, where no data carries them: often enough
 * that the peer never waits for one, and writes over memory that its cache still holds. One for each
 * message would take a third of the throughput.
 */
const ACKS_PER_WINDOW = 64;

/**
 * Bytes after which sending lets the event loop turn, so that a fast peer cannot keep it from
 * everything else.
 */
const BYTES_PER_TURN = 1_048_576;

/**
 * One side of a connection that outlives its WebSocket: what it has to say, how far it has got with
 * what the peer says, and the messages for both. It runs over one WebSocket after another, or over
 * none, and knows nothing of how they come and go. docs/resume.md has the wire.
 */
export class Session {
  readonly out: Outgoing;
  readonly in: Incoming;
  readonly #settings: SessionSettings;
  readonly #events: SessionEvents;
  /** Bytes that came and that the user has not read. */
  readonly #unread: () => number;
  readonly #acks: AckPolicy;
  #carrier: Carrier | null = null;
  /** Messages that the kernel has not taken, of those on the WebSocket of now. */
  #inFlight = 0;
  #onTaken = (): void => undefined;
  /** Who waits until the peer has all before a number; the lowest first. */
  #marks: { readonly number: number; readonly callback: () => void }[] = [];
  /** Whether the next message waits for the event loop to turn. */
  #resting = false;

  constructor(settings: SessionSettings, unread: () => number, events: SessionEvents) {
    this.#settings = settings;
    this.#unread = unread;
    this.#events = events;
    this.out = new Outgoing(settings.maxMessageSize, settings.window);
    this.in = new Incoming(settings.window);
    this.#acks = new AckPolicy(Math.ceil(settings.window / ACKS_PER_WINDOW), this.#sendAck, () => {
      this.onRead();
    });
  }

  /** Whether there is a WebSocket to send over. */
  get attached(): boolean {
    return this.#carrier !== null;
  }

  /**
   * Whether nothing is left to say or to hear: both ends of a direction have passed, or a
   * deliberate end.
   */
  get complete(): boolean {
    const { finAcked, endAcked } = this.out;
    return this.in.end !== null || endAcked || (finAcked && this.in.finReceived);
  }

  /** How far we have got with what the peer sends. */
  get progress(): Progress {
    this.in.consumedBut(this.#unread());
    return this.in.progress;
  }

  /** Bytes that the stream may write now: none while there is no WebSocket. */
  get room(): number {
    if (!this.#carrier) return 0;
    const waiting = this.out.unsentBytes + this.#carrier.queued;
    if (this.#isFull(waiting)) return 0;
    const { highWaterMark, maxMessageSize } = this.#settings;
    return Math.min(this.out.room, Math.max(highWaterMark - waiting, maxMessageSize));
  }

  /**
   * Goes on over this WebSocket. What the peer has said of itself was recorded before with
   * `out.onProgress()`, and with `in.startAt()` where it begins; it was told `told` of us.
   */
  attach(carrier: Carrier, told: Progress): void {
    this.#carrier = carrier;
    this.#inFlight = 0;
    this.#onTaken = () => {
      if (this.#carrier === carrier) this.#onMessageTaken();
    };
    this.out.rewind();
    this.#acks.told(told);
    this.#acks.onProgress(this.progress);
    this.pump();
    this.#events.onRoom();
    this.#events.onProgress();
  }

  /** The WebSocket is gone. */
  detach(): void {
    this.#carrier = null;
    this.#acks.stop();
    this.#marks = [];
  }

  /** Calls back when the peer has all that was sent; not at all where the WebSocket goes before. */
  readonly whenAcknowledged = (callback: () => void): void => {
    this.#marks.push({ number: this.out.sent, callback });
  };

  /** Tells the peer how far we have got, also where there is no news: that it was heard. */
  confirm(): void {
    const progress = this.progress;
    this.#acks.told(progress);
    this.#send(encodeAck(progress));
  }

  /** Tells the peer at once how far we have got. */
  acknowledgeNow(): void {
    this.#sendAck();
  }

  /** The user has read, or bytes were thrown away. */
  onRead(): void {
    if (this.#carrier) this.#acks.onProgress(this.progress);
  }

  /** There is more room than there was, for reasons that are not the session's. */
  onRoom(): void {
    this.#events.onRoom();
  }

  /**
   * Sends what is due, as far as the WebSocket takes it.
   * @param wholeOnly - leaves what may share its message with more
   */
  pump(wholeOnly = false): void {
    let turn = 0;
    while (this.#carrier && !this.#resting) {
      if (wholeOnly && !this.out.hasWholeMessage) return;
      if (this.#isFull(this.#carrier.queued)) return;
      if (turn >= BYTES_PER_TURN) {
        this.#rest();
        return;
      }
      const message = this.#nextMessage();
      if (!message) return;
      turn += message.length;
      this.#send(message);
      this.#events.onSent();
    }
  }

  /** Drops what is kept: nobody will send it. */
  clear(): void {
    this.detach();
    this.out.clear();
  }

  /** Takes a message that came over the WebSocket of now. */
  onMessage(bytes: Buffer): void {
    const message = decode(bytes);
    const problem = typeof message === 'string' ? message : this.#take(message);
    if (problem !== null) this.#events.onViolation(problem);
  }

  /** Takes what a message says; returns what is wrong with it. */
  #take(message: Message): string | null {
    switch (message.type) {
      case 'data':
        return (
          (message.progress ? this.#onProgress(message.progress) : null) ??
          this.#onData(message.bytes)
        );
      case 'ack':
        return this.#onProgress(message.progress);
      case 'fin':
        return this.#onFin();
      case 'end':
        return this.#onEnd(message.close);
      case 'abort':
        this.#events.onAbort(message.close);
        return null;
      case 'hello':
        return 'a HELLO that is not the first message';
    }
  }

  #onProgress(progress: Progress): string | null {
    if (!this.out.onProgress(progress)) return 'an acknowledgement of what was never sent';
    this.#passMarks();
    this.#events.onRoom();
    this.#events.onProgress();
    return null;
  }

  #passMarks(): void {
    while (this.#marks[0] && this.#marks[0].number <= this.out.acked) {
      this.#marks.shift()?.callback();
    }
  }

  #onData(bytes: Buffer): string | null {
    const arrival = this.in.onData(bytes);
    if (Buffer.isBuffer(arrival)) this.#events.onData(arrival);
    else if (arrival !== 'known') return arrival.violation;
    this.#acks.onProgress(this.progress);
    return null;
  }

  #onFin(): string | null {
    const arrival = this.in.onFin();
    if (arrival === true) this.#events.onFin();
    else if (arrival !== 'known') return arrival.violation;
    // In this turn of the event loop.
    if (this.#carrier) this.#acks.soon();
    return null;
  }

  #onEnd(close: CloseSaid): string | null {
    const arrival = this.in.onEnd(close);
    if (typeof arrival === 'object') return arrival.violation;
    // At once: the peer waits for it, and the stream may end with what follows.
    this.#sendAck();
    if (arrival === true) this.#events.onEnd(close);
    return null;
  }

  readonly #sendAck = (): void => {
    if (this.#acks.isNews(this.progress)) this.confirm();
  };

  #send(message: Buffer): void {
    if (!this.#carrier) return;
    this.#inFlight++;
    this.#carrier.send(message, this.#onTaken);
  }

  #onMessageTaken(): void {
    this.#inFlight--;
    // Most of what is sent leaves nothing behind that waits for room.
    if (this.out.isBehind) this.pump();
    this.#events.onRoom();
  }

  #nextMessage(): Buffer | null {
    if (!this.out.nextIsData) {
      // The peer goes by it when it judges what our END has left behind.
      if (this.out.nextIsEnd) this.#sendAck();
      return this.out.next(null);
    }
    const progress = this.progress;
    if (!this.#acks.isNews(progress)) return this.out.next(null);
    this.#acks.told(progress);
    return this.out.next(progress);
  }

  /**
   * Whether so many bytes that wait are enough. Our own messages call back when they have left, and
   * a rest ends by itself; control frames that wait there do not call back, so one message may join
   * them.
   */
  #isFull(waiting: number): boolean {
    return (this.#inFlight > 0 || this.#resting) && waiting >= this.#settings.highWaterMark;
  }

  #rest(): void {
    this.#resting = true;
    setImmediate(() => {
      this.#resting = false;
      this.pump();
      this.#events.onRoom();
    });
  }
}
