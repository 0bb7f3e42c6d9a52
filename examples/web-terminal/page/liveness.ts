/** Silence in ms after which the page asks. */
const QUIET = 10_000;
/** Time in ms that the server has for an answer. */
const ANSWER = 5_000;
/** Time in ms by which a timer may be late before it says nothing about the server. */
const LATE = 1_000;

/**
 * Finds out when the server is gone without a word, as after a change of networks. Browsers answer
 * the server's pings by themselves and show them to no script; so after a silence the page asks in a
 * message, and any message is an answer.
 */
export class Liveness {
  readonly #ask: () => void;
  readonly #onDead: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #dueAt = 0;
  #isAsking = false;

  constructor(ask: () => void, onDead: () => void) {
    this.#ask = ask;
    this.#onDead = onDead;
  }

  /** Records a sign of life; the first starts the watch. */
  heard(): void {
    this.#isAsking = false;
    this.#wait(QUIET, () => {
      this.ask();
    });
  }

  /** Asks now, where there is a reason to doubt. */
  ask(): void {
    if (this.#isAsking) return;
    this.#isAsking = true;
    this.#ask();
    this.#wait(ANSWER, () => {
      this.#judge();
    });
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#isAsking = false;
  }

  #wait(time: number, then: () => void): void {
    clearTimeout(this.#timer);
    this.#dueAt = performance.now() + time;
    this.#timer = setTimeout(then, time);
  }

  #judge(): void {
    this.#isAsking = false;
    // A page that was frozen runs its timers before it hears what has come meanwhile.
    if (performance.now() - this.#dueAt > LATE) this.ask();
    else this.#onDead();
  }
}
