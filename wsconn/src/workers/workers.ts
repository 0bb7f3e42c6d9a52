import type { Socket } from 'node:net';

import { FailureCounts } from '../admit/failure-counts.ts';
import { Failure } from '../console/failure.ts';
import type { Log } from '../log/log.ts';
import type { Handover, ToPrimary, ToWorker } from './messages.ts';
import { PlaceBook } from './place-book.ts';
import { WorkerProcess } from './worker-process.ts';

/** Pause in ms before a worker is started again; each one after that is twice as long. */
const FIRST_PAUSE = 100;
const LONGEST_PAUSE = 30_000;
/** Time in ms after which a worker has shown that it works. */
const WORKS_AFTER = 10_000;
/** Time in ms in which a worker answers with its figures. */
const FIGURES_TIMEOUT = 2_000;

/** The figures of a worker, as prom-client writes them. */
export type Metrics = readonly object[];

/** Starts workers, starts those again that die, and gives each connection to one of them. */
export class Workers {
  readonly #log: Log;
  readonly #count: number;
  readonly #all = new Map<number, WorkerProcess>();
  /** What each number needs for its next start: how long to wait, and what waits. */
  readonly #pauses = new Map<number, number>();
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #places: PlaceBook | undefined;
  readonly #failures = new FailureCounts();
  /** Those that wait for something of a worker: they get undefined where it dies before. */
  readonly #waiting = new Map<string, (answer: ToPrimary | undefined) => void>();
  readonly #started = new Map<number, (problem?: string) => void>();
  #questions = 0;
  #next = 0;
  #stopping = false;
  /** Is called when a worker is gone. */
  onGone: (number: number) => void = () => undefined;
  /** Is called with the figures of a worker. */
  onFigures: (number: number, metrics: Metrics) => void = () => undefined;

  /** @param places - connections that all together may have; undefined where each has its own limit */
  constructor(count: number, places: number | undefined, log: Log) {
    this.#count = count;
    this.#log = log;
    this.#places =
      places === undefined
        ? undefined
        : new PlaceBook(places, {
            grant: (number, more) => {
              this.#send(number, { type: 'places', more });
            },
            recall: (number, further) => {
              this.#send(number, { type: 'recall', further });
            },
          });
  }

  /** Their numbers. */
  get numbers(): readonly number[] {
    return Array.from({ length: this.#count }, (_, index) => index + 1);
  }

  /** Their processes. */
  get pids(): readonly string[] {
    return [...this.#all.values()].map(({ pid }) => String(pid));
  }

  /** How many connections all may have. */
  set maxConnections(places: number) {
    if (this.#places) this.#places.max = places;
  }

  /** Returns whether a worker takes connections. */
  isReady(number: number): boolean {
    return this.#all.get(number)?.ready ?? false;
  }

  /** Starts all; throws a Failure where one of them cannot. */
  async start(): Promise<void> {
    // A primary process that ends at once leaves none behind.
    process.on('exit', () => {
      for (const worker of this.#all.values()) worker.kill();
    });
    const problems = await Promise.all(
      this.numbers.map(
        (number) =>
          new Promise<string | undefined>((resolve) => {
            this.#started.set(number, resolve);
            this.#start(number);
          }),
      ),
    );
    this.#started.clear();
    const problem = problems.find((each) => each !== undefined);
    if (problem !== undefined) throw new Failure(problem);
  }

  /** Gives a connection to the worker that has fewest. */
  readonly give = (socket: Socket): void => {
    const ready = [...this.#all.values()].filter((worker) => worker.ready);
    const [first, ...others] = [...ready.slice(this.#next), ...ready.slice(0, this.#next)];
    if (!first) {
      socket.destroy();
      return;
    }
    this.#next = (this.#next + 1) % ready.length;
    const least = others.reduce((best, worker) => (worker.load < best.load ? worker : best), first);
    least.load++;
    least.send({ type: 'connection' }, socket);
  };

  /** Tells all something. */
  tell(message: ToWorker): void {
    for (const worker of this.#all.values()) worker.send(message);
  }

  /** Has all read their files again; resolves when they have. */
  async reload(): Promise<void> {
    await Promise.all(
      this.#ready.map((worker) => this.#ask(worker, { type: 'reload' }, 'reloaded')),
    );
  }

  /** Has all tell their figures; resolves when they have, or have not within a time. */
  async askFigures(): Promise<void> {
    const id = ++this.#questions;
    await Promise.all(
      this.#ready.map((worker) =>
        this.#ask(worker, { type: 'figures', id }, `figures ${String(id)}`, FIGURES_TIMEOUT),
      ),
    );
  }

  /** Lets connections finish, and ends all; returns how many connections were cut. */
  async stop(): Promise<number> {
    this.#stopping = true;
    for (const timer of this.#timers) clearTimeout(timer);
    const answers = await Promise.all(
      this.#ready.map((worker) => this.#ask(worker, { type: 'stop' }, 'stopped')),
    );
    return answers.reduce((sum, answer) => sum + (answer?.type === 'stopped' ? answer.cut : 0), 0);
  }

  get #ready(): readonly WorkerProcess[] {
    return [...this.#all.values()].filter((worker) => worker.ready);
  }

  #send(number: number, message: ToWorker): void {
    this.#all.get(number)?.send(message);
  }

  /** Tells a worker something, and resolves with its answer; undefined where none comes. */
  #ask(
    worker: WorkerProcess,
    message: ToWorker,
    what: string,
    timeout?: number,
  ): Promise<ToPrimary | undefined> {
    return new Promise((resolve) => {
      const key = `${String(worker.number)} ${what}`;
      const timer =
        timeout === undefined
          ? undefined
          : setTimeout(() => this.#waiting.get(key)?.(undefined), timeout);
      this.#waiting.set(key, (answer) => {
        clearTimeout(timer);
        this.#waiting.delete(key);
        resolve(answer);
      });
      worker.send(message);
    });
  }

  #start(number: number): void {
    const worker = new WorkerProcess(number, {
      message: (message, socket) => {
        this.#onMessage(worker, message, socket);
      },
      exit: (how) => {
        this.#onExit(worker, how);
      },
    });
    this.#all.set(number, worker);
    this.#places?.join(number);
  }

  #onMessage(worker: WorkerProcess, message: ToPrimary, socket: Socket | undefined): void {
    const { number } = worker;
    switch (message.type) {
      case 'ready':
        worker.ready = true;
        if (this.#started.has(number)) this.#started.get(number)?.();
        else
          this.#log.info(
            `worker ${String(number)} is there again, as process ${String(worker.pid)}`,
          );
        setTimeout(() => {
          if (this.#all.get(number) === worker) this.#pauses.delete(number);
        }, WORKS_AFTER).unref();
        return;
      case 'load':
        worker.load = message.open;
        return;
      case 'handover':
        if (socket) this.#handOver(message, socket);
        return;
      case 'full':
        this.#places?.ask(number);
        return;
      case 'gave':
        this.#places?.gave(number, message.places);
        return;
      case 'failure':
        worker.send({ type: 'delay', id: message.id, ms: this.#failures.add(message.address) });
        return;
      case 'figures':
        this.onFigures(number, message.metrics);
        this.#waiting.get(`${String(number)} figures ${String(message.id)}`)?.(message);
        return;
      case 'reloaded':
      case 'stopped':
        this.#waiting.get(`${String(number)} ${message.type}`)?.(message);
    }
  }

  /** Gives a handshake to the worker that holds its connection, or to another that says it is gone. */
  #handOver(handover: Handover, socket: Socket): void {
    socket.on('error', () => undefined);
    const holder = this.#all.get(handover.to);
    const [other] = this.#ready;
    const worker = holder?.ready ? holder : other;
    if (!worker) {
      socket.destroy();
      return;
    }
    worker.load++;
    worker.send(handover, socket);
  }

  #onExit(worker: WorkerProcess, how: string): void {
    const { number } = worker;
    if (this.#all.get(number) === worker) this.#all.delete(number);
    this.#places?.leave(number);
    for (const [key, answer] of [...this.#waiting]) {
      if (key.startsWith(`${String(number)} `)) answer(undefined);
    }
    this.onGone(number);
    const started = this.#started.get(number);
    if (started) {
      started(`worker ${String(number)} ${how} before it was ready`);
      return;
    }
    if (this.#stopping) return;
    const pause = this.#pauses.get(number) ?? FIRST_PAUSE;
    this.#pauses.set(number, Math.min(pause * 2, LONGEST_PAUSE));
    this.#log.error(
      `worker ${String(number)} (process ${String(worker.pid)}) ${how}: its connections are lost; it is started again in ${String(pause / 1000)} s`,
      { event: 'workerLost', worker: number },
    );
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#start(number);
    }, pause);
    this.#timers.add(timer);
  }
}
