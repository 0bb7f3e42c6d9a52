import { deadPeer } from './dead-peer.ts';
import type { LivenessHost } from './liveness-host.ts';
import { timeToLook } from './look-time.ts';
import { type Ping, UnansweredPings } from './unanswered-pings.ts';

/** Bytes between two pings of a burst. */
const DENSE = 65_536;
/** The same where the peer answers fast or sends bytes too: a ping costs each a system call. */
const SPARSE = 262_144;
/** Round trip in ms below which an answer is fast. */
const FAST = 20;

/** Share of `pongTimeout` by which a verdict comes late where our own event loop stood still. */
const STALL = 0.25;

/**
 * Decides when to ask a peer for a sign of life, and when it is dead. It is the one rule for all
 * keepalives of this package.
 *
 * Every `interval` it looks at the bytes that went each way. If both directions moved, it sends
 * nothing; else a ping. The peer is dead when for `pongTimeout` not one byte came in, counted from
 * when a ping has reached it at the latest: the bytes before a ping get the time that they need at
 * 8 kB/s. So that this is not minutes, a burst of bytes carries a ping for each 64 KiB (256 KiB
 * where the peer answers within 20 ms or sends bytes as well): the answer to one tells how far the
 * peer has read, and only what lies between it and the next is waited for.
 *
 * The clock stands still while our own side reads nothing. Our own stalls are nobody's death:
 * before the verdict the event loop reads once more, and where the verdict comes late the peer gets
 * `pongTimeout` anew.
 */
export class Liveness {
  readonly #host: LivenessHost;
  readonly #interval: number;
  readonly #pongTimeout: number;
  readonly #pings = new UnansweredPings(performance.now());
  #state: 'running' | 'paused' | 'stopped' = 'running';
  /**
   * Comes when something is due. In a burst, where each ping and each answer move that, it may come
   * earlier, and then waits again: made anew each time, it took a tenth of a tunnel's speed.
   */
  #timer: NodeJS.Timeout | undefined;
  #timerAt = Infinity;
  /** Whether the last ping was one of a burst. */
  #inBurst = false;
  /** When a look or a deadline of the peer is due. */
  #due = Infinity;
  #dueIsDeadline = false;
  #verdict: NodeJS.Immediate | undefined;
  #referenced = true;
  #lookAt = Infinity;
  /** When the last byte came in. */
  #heardAt = performance.now();
  /** Whether one came since the last ping or answer. */
  #heard = false;
  #received = 0;
  #pausedAt = 0;
  /** What had come and gone when it was last looked at. */
  #seenReceived = 0;
  #seenSent = 0;
  #roundTrip: number | undefined;

  /**
   * Starts with `start()`.
   * @param interval - time in ms between two looks
   * @param pongTimeout - time in ms that the peer has for a sign of life
   */
  constructor(host: LivenessHost, interval: number, pongTimeout: number) {
    this.#host = host;
    this.#interval = interval;
    this.#pongTimeout = pongTimeout;
  }

  /** Round trip of the last ping that was answered, in ms; undefined before the first. */
  get roundTrip(): number | undefined {
    return this.#roundTrip;
  }

  start(): void {
    this.#rest();
    // What was written before may be on its way still.
    this.onWritten();
  }

  /** Ends the loop for good. */
  stop(): void {
    this.#state = 'stopped';
    this.#arm();
  }

  /** Makes the loop keep the process alive; this is the default. */
  ref(): void {
    this.#referenced = true;
    this.#timer?.ref();
  }

  /** Allows the process to end although the loop runs. */
  unref(): void {
    this.#referenced = false;
    this.#timer?.unref();
  }

  /** Records bytes that have come in, of whatever kind; to be called before they are parsed. */
  onReceived(bytes: number): void {
    this.#received += bytes;
    this.#heardAt = performance.now();
    this.#heard = true;
  }

  /** Records that bytes were written: in a burst of them a ping is due now and then. */
  onWritten(): void {
    const written = this.#host.written();
    if (this.#state !== 'running' || this.#pings.full || written === undefined) return;
    const unasked = this.#pings.unasked(written, this.#host.queued(), performance.now());
    if (unasked < this.#burstStep || !this.#host.mayPing()) return;
    this.#inBurst = true;
    if (this.#host.marks) this.#mark();
    else this.#ping();
    this.#arm();
  }

  /** The peer has all that was written before a mark. */
  onMark(id: number): void {
    this.#pings.onAnswer(id, performance.now());
    this.#arm();
  }

  /** Records the answer to a ping. */
  onPong(id: number): void {
    const roundTrip = this.#pings.onAnswer(id, performance.now());
    if (roundTrip === undefined || this.#state === 'stopped') return;
    this.#roundTrip = roundTrip;
    this.#heard = false;
    this.#rest();
    this.#host.onPong(roundTrip);
  }

  /** Stops the clock: our side reads no more, so no sign of life could be seen. */
  pause(): void {
    if (this.#state !== 'running') return;
    this.#state = 'paused';
    this.#pausedAt = performance.now();
    // It outlasts the pause: a reader that pauses and resumes all the time would else put it off
    // for ever.
    this.#lookAt = Math.min(this.#lookAt, this.#pausedAt + this.#beat);
    this.#arm();
  }

  /** Starts the clock again: our side reads again. */
  resume(): void {
    if (this.#state !== 'paused') return;
    this.#state = 'running';
    const open = this.#open;
    if (open) {
      const silence = Math.max(0, this.#pausedAt - open.reachesAt);
      open.reachesAt = Math.max(open.reachesAt, performance.now() - silence);
    }
    this.#arm();
  }

  /**
   * Longest time in ms between two signs of life of ours while paused, for a peer with the same
   * limits.
   */
  get #beat(): number {
    return Math.min(this.#interval, this.#pongTimeout / 2);
  }

  /**
   * The ping after which a byte is due: the first that may have reached the peer since the last
   * byte came in.
   */
  get #open(): Ping | undefined {
    return this.#pings.firstAfter(this.#heardAt);
  }

  /** Bytes of a burst between two pings. */
  get #burstStep(): number {
    const isFast = this.#roundTrip !== undefined && this.#roundTrip < FAST;
    return !this.#host.marks && (isFast || this.#heard) ? SPARSE : DENSE;
  }

  /** Waits for an interval. */
  #rest(): void {
    // A ping and its pong are no traffic: taken for it, they would let every other look go without
    // one.
    this.#moved();
    this.#lookAt = performance.now() + timeToLook(this.#interval);
    this.#arm();
  }

  /** Has the timer come before what is due next. */
  #arm(): void {
    clearImmediate(this.#verdict);
    this.#verdict = undefined;
    if (this.#state === 'stopped') {
      this.#clearTimer();
      return;
    }
    const open = this.#state === 'running' ? this.#open : undefined;
    const deadline = open ? open.reachesAt + this.#pongTimeout : Infinity;
    this.#due = Math.min(this.#lookAt, deadline);
    this.#dueIsDeadline = this.#due === deadline;
    if (this.#inBurst && this.#timerAt <= this.#due) return;
    this.#setTimer(Math.max(0, this.#due - performance.now()));
  }

  #setTimer(wait: number): void {
    this.#clearTimer();
    this.#timer = setTimeout(this.#onTimer, wait);
    this.#timerAt = performance.now() + wait;
    if (!this.#referenced) this.#timer.unref();
  }

  #clearTimer(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#timerAt = Infinity;
  }

  readonly #onTimer = (): void => {
    this.#clearTimer();
    const early = this.#due - performance.now();
    // Node's timers may come 1 ms early.
    if (this.#inBurst && early > 1) this.#setTimer(early);
    else if (this.#dueIsDeadline) this.#judgeAfterPoll();
    else this.#look();
  };

  #look(): void {
    if (!this.#host.mayPing()) return;
    if (this.#state === 'paused') {
      this.#host.showLife();
      this.#lookAt = performance.now() + this.#beat;
      this.#arm();
      return;
    }
    this.#inBurst = false;
    if (!this.#moved() && !this.#isAsking) this.#ping();
    this.#rest();
  }

  /** Whether bytes went each way since the last look. Bytes in the send queue have not gone. */
  #moved(): boolean {
    const sent = (this.#host.written() ?? 0) - this.#host.queued();
    const moved = sent > this.#seenSent && this.#received > this.#seenReceived;
    this.#seenReceived = this.#received;
    this.#seenSent = sent;
    return moved;
  }

  /** Whether a ping is out after which no byte came in: another one would ask the same. */
  get #isAsking(): boolean {
    const { last } = this.#pings;
    return last !== undefined && (last.sentAt === undefined || last.placedAt >= this.#heardAt);
  }

  #ping(): void {
    const ping = this.#pings.add(this.#host.written(), this.#host.queued(), performance.now());
    this.#heard = false;
    this.#host.ping(ping.id, () => {
      this.#pings.onSent(ping, performance.now());
      this.#arm();
    });
  }

  /** Has the peer's next acknowledgement answer for what was written. */
  #mark(): void {
    const now = performance.now();
    const mark = this.#pings.add(this.#host.written(), this.#host.queued(), now);
    this.#pings.onSent(mark, now);
    this.#host.mark?.(mark.id);
  }

  /** Makes the event loop read before the verdict: the answer may lie in the kernel. */
  #judgeAfterPoll(): void {
    const stalled = performance.now() - this.#due > STALL * this.#pongTimeout;
    this.#verdict = setImmediate(() => {
      this.#judge(stalled);
    });
  }

  #judge(stalled: boolean): void {
    const open = this.#open;
    const now = performance.now();
    // Where a whole machine stood still, packets were lost, and TCP sends them again in its own
    // time.
    if (open && stalled) open.reachesAt = Math.max(open.reachesAt, now);
    if (open && now >= open.reachesAt + this.#pongTimeout) this.#die(open, now);
    else this.#arm();
  }

  #die(ping: Ping, now: number): void {
    this.stop();
    const silence = now - Math.max(ping.placedAt, this.#heardAt);
    this.#host.onDead(deadPeer(silence, this.#host.queued()));
  }
}
