import { invalidState, WsConnError } from '../../base/errors.ts';
import type { FrameScheduler } from '../wire/frame-scheduler.ts';
import { Flag, FrameType } from '../wire/frame.ts';
import { FIRST_MARK_ID } from '../wire/in-flight.ts';

interface Ping {
  sentAt: number;
  readonly timer: NodeJS.Timeout;
  readonly resolve: (ms: number) => void;
  readonly reject: (error: Error) => void;
}

/** Round trips of which the shortest counts: it is the one with the least waiting in queues. */
const SAMPLES = 8;

/** Age in ms at which the last measure is too old to size a window by. */
const STALE_AFTER = 5_000;

/**
 * Sends pings, matches their answers, and remembers how long they took. The numbers above
 * its own are for the marks of the scheduler and for the keepalive.
 */
export class Pings {
  readonly #scheduler: FrameScheduler;
  readonly #timeout: number;
  readonly #waiting = new Map<number, Ping>();
  #nextId = 0;
  #samples: number[] = [];
  #measuredAt = -STALE_AFTER;
  #ended = false;

  /** @param timeout - time in ms that an answer may take */
  constructor(scheduler: FrameScheduler, timeout: number) {
    this.#scheduler = scheduler;
    this.#timeout = timeout;
  }

  /** Shortest of the last round trips, in ms; undefined before the first answer. */
  get roundTrip(): number | undefined {
    return this.#samples.length > 0 ? Math.min(...this.#samples) : undefined;
  }

  /**
   * Sends a ping; resolves with the round trip in ms. Rejects with `ETIMEDOUT`, or with the reason when the session ends
   * before the answer.
   */
  ping(): Promise<number> {
    if (this.#ended) return Promise.reject(invalidState('the session has ended'));
    const id = this.#nextId;
    this.#nextId = (id + 1) % FIRST_MARK_ID;
    this.#measuredAt = performance.now();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(id);
        const limit = `a ping was not answered within ${String(this.#timeout)} ms`;
        reject(new WsConnError('ETIMEDOUT', limit));
      }, this.#timeout);
      timer.unref();
      const ping = { sentAt: performance.now(), timer, resolve, reject };
      this.#waiting.set(id, ping);
      this.#scheduler.sendFrame(FrameType.ping, Flag.syn, 0, id, () => {
        // What it waited for a transport that was connecting or full is no part of the round trip.
        ping.sentAt = performance.now();
      });
    });
  }

  /** Measures the round trip if the last measure is old; the answer is for `roundTrip` alone. */
  measure(): void {
    if (this.#ended || performance.now() - this.#measuredAt < STALE_AFTER) return;
    this.ping().catch(() => undefined); // Nobody asked: without an answer windows stay as they are.
  }

  /**
   * Takes the answer to a ping, and returns the round trip in ms; one that nobody waits for is
   * ignored.
   */
  onAnswer(id: number): number | undefined {
    const ping = this.#waiting.get(id);
    if (!ping) return undefined;
    this.#waiting.delete(id);
    clearTimeout(ping.timer);
    const ms = performance.now() - ping.sentAt;
    this.#samples = [...this.#samples, ms].slice(-SAMPLES);
    ping.resolve(ms);
    return ms;
  }

  /** Rejects what still waits. */
  end(error: Error | null): void {
    this.#ended = true;
    for (const { timer, reject } of this.#waiting.values()) {
      clearTimeout(timer);
      reject(error ?? invalidState('the session was closed before the answer to the ping'));
    }
    this.#waiting.clear();
  }
}
