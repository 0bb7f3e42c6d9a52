interface Task {
  due: number;
  readonly run: () => void;
  ref(): Task;
  unref(): Task;
}

type Run = (...args: unknown[]) => void;

/** Tasks that may run at one moment: whoever sets more never lets time pass. */
const MOST_AT_ONCE = 10_000;

/**
 * Time that passes only when it is told to, in the place of the machine's: timers, immediates and
 * performance.now(), and no chance in Math.random(). Whoever installs it takes it away again in the
 * same turn of the event loop, so that nobody else sees it.
 */
export class SimulatedClock {
  now = 0;
  readonly #tasks = new Set<Task>();
  readonly #real = {
    setTimeout: globalThis.setTimeout,
    clearTimeout: globalThis.clearTimeout,
    setImmediate: globalThis.setImmediate,
    clearImmediate: globalThis.clearImmediate,
  };
  readonly #realNow = performance.now.bind(performance);
  readonly #realRandom = Math.random;

  /** Timers and immediates that are due at some time. */
  get pending(): number {
    return this.#tasks.size;
  }

  install(): void {
    const clear = (task: Task | undefined): void => {
      if (task) this.#tasks.delete(task);
    };
    Object.assign(globalThis, {
      setTimeout: (run: Run, ms = 0, ...args: unknown[]) => this.#add(run, ms, args),
      clearTimeout: clear,
      setImmediate: (run: Run, ...args: unknown[]) => this.#add(run, 0, args),
      clearImmediate: clear,
    });
    performance.now = () => this.now;
    Math.random = () => 0;
  }

  uninstall(): void {
    Object.assign(globalThis, this.#real);
    performance.now = this.#realNow;
    Math.random = this.#realRandom;
  }

  /** Lets a time in ms pass. */
  pass(ms: number): void {
    const until = this.now + ms;
    let ran = 0;
    for (let task = this.#next(until); task; task = this.#next(until)) {
      if (++ran > MOST_AT_ONCE) throw new Error(`timers without end at ${String(this.now)} ms`);
      this.now = Math.max(this.now, task.due);
      this.#tasks.delete(task);
      task.run();
    }
    this.now = until;
  }

  #next(until: number): Task | undefined {
    let first: Task | undefined;
    for (const task of this.#tasks) {
      if (task.due <= until && (!first || task.due < first.due)) first = task;
    }
    return first;
  }

  #add(run: Run, ms: number, args: readonly unknown[]): Task {
    const task: Task = {
      due: this.now + ms,
      run: () => {
        run(...args);
      },
      ref: () => task,
      unref: () => task,
    };
    this.#tasks.add(task);
    return task;
  }
}
