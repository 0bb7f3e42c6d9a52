import type net from 'node:net';

export interface LaneOptions {
  /** Bytes a second; may be infinite. */
  readonly rate: number;
  /** Time in ms that each byte takes. */
  readonly delay: number;
  /** Bytes that it holds before it reads no more. */
  readonly buffer: number;
  /** Bytes of the largest piece that is passed on at once. */
  readonly piece: number;
  /** Bytes that it passes on at all. */
  readonly budget: number;
  readonly onPassed: (bytes: number) => void;
}

/** What is on its way, and when it may leave; null is the end. */
interface Parcel {
  readonly chunk: Buffer | null;
  readonly due: number;
}

/** Time in ms between two looks at what is due. */
const TICK = 10;

/**
 * One direction of a link: takes bytes from one socket and passes them on to the other, as slowly
 * as it is told to.
 */
export class Lane {
  readonly #from: net.Socket;
  readonly #to: net.Socket;
  readonly #options: LaneOptions;
  readonly #parcels: Parcel[] = [];
  readonly #timer: NodeJS.Timeout;
  #held = 0;
  #left: number;
  #tickedAt = performance.now();
  #stopped = false;
  stalled = false;

  constructor(from: net.Socket, to: net.Socket, options: LaneOptions) {
    this.#from = from;
    this.#to = to;
    this.#options = options;
    this.#left = options.budget;
    from.on('data', (chunk: Buffer) => {
      if (this.#stopped) return;
      this.#held += chunk.length;
      this.#take(chunk);
      if (this.#held >= options.buffer) from.pause();
    });
    from.on('end', () => {
      this.#take(null);
    });
    to.on('drain', () => {
      if (options.rate === Infinity) this.#pass(Infinity);
    });
    this.#timer = setInterval(() => {
      this.#tick();
    }, TICK);
  }

  /** Passes on nothing any more, and throws away what comes. */
  stop(): void {
    clearInterval(this.#timer);
    this.#stopped = true;
    this.#parcels.length = 0;
    this.#from.resume();
  }

  #take(chunk: Buffer | null): void {
    this.#parcels.push({ chunk, due: performance.now() + this.#options.delay });
    const { rate, delay } = this.#options;
    // A fast lane does not wait for the clock.
    if (rate === Infinity && delay === 0) this.#pass(Infinity);
  }

  #tick(): void {
    const now = performance.now();
    const seconds = (now - this.#tickedAt) / 1000;
    this.#tickedAt = now;
    this.#pass(Math.ceil(this.#options.rate * seconds));
  }

  get #passes(): boolean {
    const { connecting, destroyed, writableNeedDrain } = this.#to;
    const able = !connecting && !destroyed && !writableNeedDrain;
    return able && this.#left > 0 && !this.stalled && !this.#stopped;
  }

  /** Passes on at most so many bytes of what is due. */
  #pass(most: number): void {
    let room = most;
    while (room > 0 && this.#passes) {
      const [first] = this.#parcels;
      if (first === undefined || first.due > performance.now()) break;
      this.#parcels.shift();
      if (first.chunk === null) {
        this.#to.end();
        this.stop();
        return;
      }
      const length = Math.min(first.chunk.length, room, this.#options.piece, this.#left);
      if (length < first.chunk.length) {
        this.#parcels.unshift({ chunk: first.chunk.subarray(length), due: first.due });
      }
      room -= length;
      this.#left -= length;
      this.#held -= length;
      this.#to.write(first.chunk.subarray(0, length));
      this.#options.onPassed(length);
    }
    if (this.#held < this.#options.buffer) this.#from.resume();
  }
}
