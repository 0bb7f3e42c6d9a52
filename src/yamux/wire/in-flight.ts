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
/** The same as a part of the round trip: marks show a long one only as coarsely as they come. */
const QUEUE_PART = 0.5;

/** Parts of the limit that are sent from one mark to the next, and in one run at most. */
const MARKS_PER_LIMIT = 8;
const RUNS_PER_LIMIT = 8;
/** Bytes of the run that is worth its headers. */
const SMALLEST_RUN = 4_096;

/**
 * Time in ms after which the shortest round trip is looked for again, with that part of the limit on
 * its way: the way may be another one, and what it took may have been the wait in our own queue.
 * That is over after one round trip; one of 300 ms costs 2 % of what is carried.
 */
const LOOK_AGAIN_AFTER = 10_000;
const LOOK_WITH = 1 / 4;

/** Answers of which the fastest tells what the way carries: round trips vary by themselves. */
const RATES = 16;

/**
 * Time in ms without an answer after which a peer that has never answered is taken for one that
 * answers no pings. For one that has, twice as much may be on its way then, and again: nothing may
 * wait for ever for an answer that is lost.
 */
const NO_ANSWER = 10_000;

/** A ping, and what was on its way when it left. */
interface Mark {
  readonly id: number;
  /** Bytes that had been written by then. */
  readonly upTo: number;
  readonly inFlight: number;
  /** What might have been. */
  readonly limit: number;
  readonly sentAt: number;
}

/**
 * Bounds the bytes that are on their way to the peer, by what the way carries in a round trip. Else
 * one stream fills the buffers of the kernels and of all hops, megabytes, and over a slow link every
 * other stream waits behind them: 130 kB/s need half a minute for 4 MB.
 *
 * Pings among the data show how far the peer has got. From one of them that took R ms, with F bytes
 * before it, the way carries F / R; as much is let go as it carries in the shortest round trip, half
 * of that and `QUEUE` ms more. What takes no longer is not held back.
 *
 * Measured through `wsconn forward --mux` at 130 kB/s: a round trip beside an upload takes 0.3 s in
 * place of 3.6 s, and the upload carries as much as alone.
 */
export class InFlight {
  readonly #onLifted: () => void;
  #limit = FIRST_LIMIT;
  #written = 0;
  #arrived = 0;
  #markedAt = 0;
  #marks: Mark[] = [];
  #nextId = FIRST_MARK_ID;
  /** Bytes a ms of the last answers. */
  #rates: number[] = [];
  #shortest = Infinity;
  /** When that was found, and since when it is looked for again. */
  #foundAt: number;
  #lookingSince: number | null = null;
  #isAnswered = false;
  #waitsForAnswer: NodeJS.Timeout | undefined;

  /** @param onLifted - there is more room, with no answer that would show it */
  constructor(onLifted: () => void, now: number) {
    this.#onLifted = onLifted;
    this.#foundAt = now;
  }

  /** Bytes of data that may leave now, in one run: the fewer may be on their way, the smaller. */
  get room(): number {
    const most = Math.max(SMALLEST_RUN, this.#limit / RUNS_PER_LIMIT);
    return Math.min(most, this.#limit - (this.#written - this.#arrived));
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
    const inFlight = upTo - this.#arrived;
    this.#marks.push({ id, upTo, inFlight, limit: this.#limit, sentAt: now });
    this.#waitForAnswer();
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
    if (this.#marks.length > 0) this.#waitsForAnswer?.refresh();
    else this.#stopWaiting();
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
    this.#stopWaiting();
  }

  readonly #onNoAnswer = (): void => {
    this.#waitsForAnswer = undefined;
    if (this.#isAnswered) {
      this.#limit *= 2;
      this.#waitForAnswer();
    } else {
      this.lift();
    }
    this.#onLifted();
  };

  #waitForAnswer(): void {
    this.#waitsForAnswer ??= setTimeout(this.#onNoAnswer, NO_ANSWER).unref();
  }

  #stopWaiting(): void {
    clearTimeout(this.#waitsForAnswer);
    this.#waitsForAnswer = undefined;
  }

  #adapt(mark: Mark, now: number): void {
    const took = Math.max(now - mark.sentAt, 0.01);
    if (this.#lookingSince !== null) {
      // What left before, or when more than that was on its way yet, waited in the longer queue.
      if (mark.sentAt < this.#lookingSince) this.#note(mark.inFlight / took);
      else if (mark.inFlight <= mark.limit + SMALLEST_RUN) this.#found(took, now);
      return;
    }
    this.onRoundTrip(took);
    this.#note(mark.inFlight / took);
    const carried = this.#carried;
    const isFull = mark.inFlight >= 0.8 * mark.limit;
    if (isFull && took <= this.#shortest + this.#queue / 4) this.#grow(2 * mark.limit);
    else if (isFull && took <= this.#longest) this.#grow(Math.min(carried, 2 * mark.limit));
    // With less on its way it was not that which took so long.
    else if (took > this.#longest && mark.inFlight >= mark.limit / 4)
      this.#limit = Math.max(LEAST_LIMIT, Math.min(this.#limit, Math.floor(carried)));
    if (this.#limit < MOST_LIMIT && now - this.#foundAt >= LOOK_AGAIN_AFTER) this.#look(now);
  }

  /** Time in ms that bytes may wait in queues. */
  get #queue(): number {
    return QUEUE + QUEUE_PART * this.#shortest;
  }

  /** The longest round trip in ms that is right. */
  get #longest(): number {
    return this.#shortest + this.#queue;
  }

  /** Bytes that the way carries in that time. */
  get #carried(): number {
    return Math.max(...this.#rates) * this.#longest;
  }

  #note(rate: number): void {
    this.#rates = [...this.#rates, rate].slice(-RATES);
  }

  #grow(limit: number): void {
    this.#limit = Math.max(this.#limit, Math.min(Math.floor(limit), MOST_LIMIT));
  }

  /** Looks for the shortest round trip, with less on its way until it is found. */
  #look(now: number): void {
    this.#lookingSince = now;
    // What the way carries now show those that are under way.
    this.#rates = [];
    this.#limit = Math.max(LEAST_LIMIT, Math.floor(LOOK_WITH * this.#limit));
  }

  #found(took: number, now: number): void {
    if (this.#rates.length === 0) this.#note(this.#limit / took);
    this.#shortest = took;
    this.#limit = Math.max(LEAST_LIMIT, Math.min(Math.floor(this.#carried), MOST_LIMIT));
    this.#lookingSince = null;
    this.#foundAt = now;
  }
}
