/** A task, and what it waits for. */
type Task = () => Promise<void>;

/**
 * Runs costly tasks, few at once, and those of each address in turn: however many one has, the next
 * of another waits for one of them at most.
 */
export class Turns {
  readonly #atOnce: number;
  readonly #waiting = new Map<string, Task[]>();
  #running = 0;

  constructor(atOnce: number) {
    this.#atOnce = atOnce;
  }

  /** Runs a task of an address when it is its turn; resolves or rejects as the task does. */
  run<T>(address: string, task: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const own = this.#waiting.get(address) ?? [];
      own.push(() => task().then(resolve, reject));
      this.#waiting.set(address, own);
      this.#next();
    });
  }

  #next(): void {
    if (this.#running >= this.#atOnce) return;
    const [first] = this.#waiting;
    if (!first) return;
    const [address, [task, ...rest]] = first;
    // The longest waiting address is the first; it goes behind the others.
    this.#waiting.delete(address);
    if (rest.length > 0) this.#waiting.set(address, rest);
    this.#running++;
    void task?.().finally(() => {
      this.#running--;
      this.#next();
    });
    this.#next();
  }
}
