import { Places } from '../token/places.ts';
import { type Clock, CLOCK, FailureCounts, type Failures } from './failure-counts.ts';

/** Refusals that wait at once: of one address, and of all. */
const WAITING_OF_ONE = 8;
const WAITING_OF_ALL = 256;

/** What becomes of a refusal: it is answered, the client is put off, or nobody is there any more. */
export type Outcome = 'answer' | 'gone' | { readonly retryAfter: number };

/**
 * Answers those who send wrong tokens ever more slowly, each address by itself. Who sends a right
 * one never comes here. What waits is bounded, and who finds no place is put off at once.
 */
export class SlowRefusals {
  readonly #clock: Clock;
  readonly #room: () => number;
  readonly #places: Places;
  readonly #failures: Failures;
  /** What puts each off that waits, the oldest first. */
  readonly #waiting = new Set<() => void>();

  /** @param room - how many handshakes may wait, so that others find a place */
  constructor(
    room: () => number,
    {
      clock = CLOCK,
      failures = new FailureCounts(clock),
      processes = 1,
    }: {
      readonly clock?: Clock;
      readonly failures?: Failures;
      /** Processes that divide up what may wait. */
      readonly processes?: number;
    } = {},
  ) {
    this.#clock = clock;
    this.#room = room;
    this.#failures = failures;
    const share = (all: number): number => Math.max(1, Math.floor(all / processes));
    this.#places = new Places({
      each: share(WAITING_OF_ONE),
      all: () => Math.min(share(WAITING_OF_ALL), room()),
    });
  }

  /** Refusals that wait. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /**
   * Counts a failure, and waits as long as those before it demand.
   * @param gone - aborts when the client has hung up
   */
  async wait(address: string, gone: AbortSignal): Promise<Outcome> {
    const counted = this.#failures.add(address);
    const delay = typeof counted === 'number' ? counted : await counted;
    if (gone.aborted) return 'gone';
    if (delay === 0) return 'answer';
    const putOff = { retryAfter: Math.ceil(delay / 1000) };
    if (!this.#places.take(address)) return putOff;
    return new Promise((resolve) => {
      const settle = (outcome: Outcome): void => {
        cancel();
        gone.removeEventListener('abort', leave);
        this.#waiting.delete(giveWay);
        this.#places.free(address);
        resolve(outcome);
      };
      const giveWay = (): void => {
        settle(putOff);
      };
      const leave = (): void => {
        settle('gone');
      };
      const cancel = this.#clock.after(delay, () => {
        settle('answer');
      });
      gone.addEventListener('abort', leave);
      this.#waiting.add(giveWay);
    });
  }

  /** Puts off those that have waited longest, until there is room again. */
  makeRoom(): void {
    const tooMany = this.#waiting.size - Math.max(0, this.#room());
    for (const giveWay of [...this.#waiting].slice(0, Math.max(0, tooMany))) giveWay();
  }
}
