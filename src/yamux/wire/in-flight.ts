/**
 * First number of the pings that mark how far the peer has got; those of `ping()` have smaller ones,
 * those of the keepalive larger ones.
 */
export const FIRST_MARK_ID = 0x4000_0000;
const LAST_MARK_ID = 0x7fff_ffff;

/** Bytes that may be on their way before anything is known of it: more than TCP itself begins with. */
const FIRST_LIMIT = 65_536;
/** Bytes that may always be on their way. */
const LEAST_LIMIT = 8_192;
/** Bytes on their way that are as good as no limit: kernels take less. */
const MOST_LIMIT = 16_777_216;

/**
 * Time in ms that bytes may wait in queues on their way, beyond what the way itself takes. It is
 * what other streams wait behind one that sends all it can, and it must be enough to keep the way
 * busy.
 */
const QUEUE = 100;

/** Part of the limit that is sent from one mark to the next. */
const MARKS_PER_LIMIT = 4;

/**
 * Time in ms after which the shortest round trip is looked for again, with half as much on its way:
 * the way may be another one, and what it took may have been the wait in our own queue.
 */
const LOOK_AGAIN_AFTER = 5_000;

/** Time in ms after which a peer that has never answered is taken for one that answers no pings. */
const NO_ANSWER = 10_000;

/** A ping, and what was on its way when it left. */
interface Mark {
  readonly id: number;
  /** Bytes that had been written by then. */
  readonly upTo: number;
  readonly inFlight: number;
  readonly sentAt: number;
}

/**
 * Bounds the bytes that are on their way to the peer, by what the way carries in a round trip. Else
 * one stream fills the buffers of the kernels and of all hops, megabytes, and over a slow link every
 * other stream waits behind them: 130 kB/s need half a minute for 4 MB.
 *
 * Pings among the data show how far the peer has got. From one of them that took R ms, with F bytes
 * before it, the way carries F / R; as much is let go as it carries in the shortest round trip and
 * `QUEUE` ms more. What takes no longer than that is not held back.
 */
export class InFlight {
  readonly #onLifted: () => void;
  #limit = FIRST_LIMIT;
  #written = 0;
  #arrived = 0;
  #markedAt = 0;
  #marks: Mark[] = [];
  #nextId = FIRST_MARK_ID;
  #shortest = Infinity;
  /** When it was begun to look for the shortest round trip. */
  #since = -Infinity;
  #isAnswered = false;
  #waitsForAnswer: NodeJS.Timeout | undefined;

  /** @param onLifted - the limit has gone, with no answer that would show it */
  constructor(onLifted: () => void) {
    this.#onLifted = onLifted;
  }

  /** Bytes of data that may leave now. */
  get room(): number {
    return this.#limit - (this.#written - this.#arrived);
  }

  /** Whether a mark is due behind the next so many bytes. */
  isMarkDue(bytes: number): boolean {
    return this.#written + bytes - this.#markedAt >= this.#limit / MARKS_PER_LIMIT;
  }

  /** Makes a mark behind the next so many bytes; returns its number, for a ping that leaves now. */
  mark(bytes: number, now: number): number {
    const id = this.#nextId;
    this.#nextId = id === LAST_MARK_ID ? FIRST_MARK_ID : id + 1;
    const upTo = (this.#markedAt = this.#written + bytes);
    this.#marks.push({ id, upTo, inFlight: upTo - this.#arrived, sentAt: now });
    if (!this.#isAnswered && !this.#waitsForAnswer) {
      this.#waitsForAnswer = setTimeout(() => {
        this.lift();
        this.#onLifted();
      }, NO_ANSWER);
      this.#waitsForAnswer.unref();
    }
    return id;
  }

  /** The transport was given so many bytes. */
  onWritten(bytes: number): void {
    this.#written += bytes;
  }

  /** The peer has answered a ping; returns whether it was a mark, and there may be room now. */
  onAnswer(id: number, now: number): boolean {
    const at = this.#marks.findIndex((mark) => mark.id === id);
    const mark = this.#marks[at];
    if (!mark) return false;
    this.#marks.splice(0, at + 1);
    this.#arrived = mark.upTo;
    this.#isAnswered = true;
    clearTimeout(this.#waitsForAnswer);
    this.#adapt(mark, now);
    return true;
  }

  /** A round trip was measured some other way. */
  onRoundTrip(ms: number): void {
    this.#shortest = Math.min(this.#shortest, ms);
  }

  /** Holds nothing back any more. */
  lift(): void {
    this.#limit = Infinity;
    this.stop();
  }

  stop(): void {
    this.#marks = [];
    clearTimeout(this.#waitsForAnswer);
  }

  #adapt({ inFlight, sentAt }: Mark, now: number): void {
    // What was sent before the limit was halved waited in the longer queue.
    if (sentAt < this.#since) return;
    const took = Math.max(now - sentAt, 0.01);
    this.onRoundTrip(took);
    const longest = this.#shortest + QUEUE;
    const carried = Math.floor((inFlight / took) * longest);
    if (took <= longest) {
      this.#limit = Math.max(this.#limit, Math.min(2 * this.#limit, carried, MOST_LIMIT));
    } else if (inFlight >= this.#limit / MARKS_PER_LIMIT) {
      // With less on its way it was not that which took so long.
      this.#limit = Math.max(LEAST_LIMIT, Math.min(this.#limit, carried));
    }
    if (this.#limit >= MOST_LIMIT || now - this.#since < LOOK_AGAIN_AFTER) return;
    const isFirst = this.#since === -Infinity;
    this.#since = now;
    if (isFirst) return;
    this.#shortest = Infinity;
    this.#limit = Math.max(LEAST_LIMIT, this.#limit / 2);
  }
}
