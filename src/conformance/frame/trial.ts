import type { EventEmitter } from 'node:events';
import type { Duplex, Readable } from 'node:stream';

import type { Need } from './features.ts';
import { Recording } from './recording.ts';
import type { End, PairOptions, Subject } from './subject.ts';

type What = string | (() => string);

/**
 * One run of one case: makes its pairs, and stops them when it is over. All waiting goes through
 * it, so that a case that is out of time can say what it waits for. What is still waited for when it
 * is over never comes, so that nothing of a case outlives it.
 */
export class Trial {
  readonly #subject: Subject;
  readonly #waiting = new Set<What>();
  readonly #promises = new Set<Promise<unknown>>();
  readonly #names = new Map<object, string>();
  readonly #stops: (() => Promise<void>)[] = [];
  #over = false;

  constructor(subject: Subject) {
    this.#subject = subject;
  }

  /** Bytes that no connection takes in while nobody reads. */
  get mostBuffered(): number {
    return this.#subject.mostBuffered;
  }

  /** Whether a feature is claimed. */
  claims(need: Need): boolean {
    if (need === 'dialler') return this.#subject.makeDialler !== undefined;
    return this.#subject.features[need] === true;
  }

  /**
   * Runs a case within the time limit, and stops its pairs.
   *
   * @param mishap rejects where something goes wrong outside of the case.
   * @throws what the case throws, or an error that says what it still waited for.
   */
  async run(run: (t: Trial) => Promise<void>, mishap?: Promise<never>): Promise<void> {
    const work = run(this);
    const errors: unknown[] = [];
    await this.#inTime(mishap ? Promise.race([work, mishap]) : work).catch((error: unknown) => {
      errors.push(error);
    });
    this.#over = true;
    // Those that the case did not come to wait for.
    for (const promise of this.#promises) promise.catch(() => undefined);
    this.#waiting.clear();
    this.#waiting.add('stop() of the pair');
    await this.#inTime(Promise.all(this.#stops.map((stop) => stop()))).catch((error: unknown) => {
      errors.push(error);
    });
    if (errors.length > 0) throw errors[0];
  }

  async #inTime(work: Promise<unknown>): Promise<void> {
    const { timeLimit } = this.#subject;
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        reject(new Error(`after ${String(timeLimit)} ms it still waits for ${this.#shown()}`));
      }, timeLimit);
    });
    try {
      await Promise.race([work, limit]);
    } finally {
      clearTimeout(timer);
    }
  }

  #shown(): string {
    const all = [...this.#waiting].map((what) => (typeof what === 'string' ? what : what()));
    return all.length === 0 ? 'the pair' : [...new Set(all)].join(', ');
  }

  /** Makes a pair that is stopped when the case is over. */
  async connected(options?: PairOptions): Promise<{ readonly a: End; readonly b: End }> {
    const pair = await this.#subject.makePair(options);
    const { a, b } = pair as { readonly a: End; readonly b: End };
    const which = this.#names.size === 0 ? '' : ` of pair ${String(this.#names.size / 2 + 1)}`;
    this.#names.set(a, `a${which}`).set(b, `b${which}`);
    await this.#stopLater([a, b], () => pair.stop?.());
    return { a, b };
  }

  /** Makes a place to connect to that is stopped when the case is over. */
  async dialler(): Promise<(options?: PairOptions) => End> {
    const dialler = await this.#subject.makeDialler?.();
    if (!dialler) throw new Error('there is no dialler');
    const ends: Duplex[] = [];
    await this.#stopLater(ends, () => dialler.stop?.());
    return (options) => {
      const end = dialler.open(options);
      ends.push(end);
      this.#names.set(end, 'the end that connects');
      return end as End;
    };
  }

  async #stopLater(ends: readonly Duplex[], stop: () => Promise<void> | void): Promise<void> {
    const stopAll = async (): Promise<void> => {
      for (const end of ends) end.on('error', () => undefined);
      await stop();
      for (const end of ends) end.destroy();
    };
    this.#stops.push(stopAll);
    // The time limit was over before the pair was there.
    if (this.#over) await stopAll();
  }

  /** Starts to write down what a stream emits; its errors count as handled. */
  record(end: Duplex): Recording {
    let resolvers: (() => void)[] | undefined = [];
    const recording = new Recording(end, () =>
      this.until(`'close' of ${this.#nameOf(end)}`, (resolve) => {
        if (resolvers) resolvers.push(resolve);
        else resolve();
      }),
    );
    end.once('close', () => {
      const waiting = resolvers ?? [];
      resolvers = undefined;
      for (const resolve of waiting) resolve();
    });
    return recording;
  }

  #nameOf(emitter: object): string {
    return this.#names.get(emitter) ?? 'a stream';
  }

  /** Waits for whatever `start` calls its argument with. */
  until<T = void>(what: What, start: (resolve: (value: T) => void) => void): Promise<T> {
    return this.wait(what, new Promise<T>(start));
  }

  /** Waits for a promise of others. */
  wait<T>(what: What, promise: Promise<T>): Promise<T> {
    const named: What = typeof what === 'string' ? () => what : what;
    this.#waiting.add(named);
    const waited = new Promise<T>((resolve, reject) => {
      const settled =
        <V>(settle: (value: V) => void) =>
        (value: V): void => {
          this.#waiting.delete(named);
          if (!this.#over) settle(value);
        };
      promise.then(settled(resolve), settled(reject));
    });
    this.#promises.add(waited);
    return waited;
  }

  /** Resolves with the arguments of the next event of that name, whatever else happens. */
  next(emitter: EventEmitter, name: string): Promise<unknown[]> {
    return this.until<unknown[]>(`'${name}' of ${this.#nameOf(emitter)}`, (resolve) => {
      emitter.once(name, (...args: unknown[]) => {
        resolve(args);
      });
    });
  }

  /** Writes, and resolves with what the callback is given. */
  written(end: Duplex, chunk: string | Uint8Array): Promise<Error | null | undefined> {
    return this.until(`the callback of a write() to ${this.#nameOf(end)}`, (resolve) => {
      end.write(chunk, resolve);
    });
  }

  /** Ends the writable side, and resolves with what the callback is given. */
  ended(end: Duplex, chunk?: string): Promise<unknown> {
    return this.until<unknown>(`the callback of end() of ${this.#nameOf(end)}`, (resolve) => {
      // It is given the error where there is one, which its type does not say.
      if (chunk === undefined) end.end(resolve as () => void);
      else end.end(chunk, resolve as () => void);
    });
  }

  /** Waits for `count` turns of the event loop, so that everything that was due has happened. */
  async turns(count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      await this.until('a turn of the event loop', (resolve) => setImmediate(resolve));
    }
  }

  /** Waits for `ms` milliseconds: only for what is about time itself. */
  pause(ms: number): Promise<void> {
    return this.until(`${String(ms)} ms to pass`, (resolve) => setTimeout(resolve, ms));
  }

  /**
   * Reads to the end, also what was paused. Resolves with all the bytes, or rejects with the
   * stream's error.
   */
  readAll(stream: Readable): Promise<Buffer> {
    const chunks: Buffer[] = [];
    let length = 0;
    const ended = new Promise<Buffer>((resolve, reject) => {
      stream.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        length += chunk.length;
      });
      stream.resume();
      stream.once('end', () => {
        resolve(Buffer.concat(chunks));
      });
      stream.once('error', reject);
      stream.once('close', () => {
        reject(new Error('the stream closed before its end'));
      });
    });
    return this.wait(
      () => `'end' of ${this.#nameOf(stream)} (${String(length)} bytes came)`,
      ended,
    );
  }

  /**
   * Reads exactly `length` bytes and leaves what follows unread; rejects if the stream ends or fails
   * before.
   */
  readExactly(stream: Readable, length: number): Promise<Buffer> {
    let missing = length;
    const read = new Promise<Buffer>((resolve, reject) => {
      const parts: Buffer[] = [];
      const take = (): void => {
        while (missing > 0) {
          const part = stream.read(Math.min(missing, stream.readableLength)) as Buffer | null;
          if (part === null) return;
          parts.push(part);
          missing -= part.length;
        }
        letGo();
        resolve(Buffer.concat(parts));
      };
      const fail = (error?: Error): void => {
        letGo();
        reject(error ?? new Error(`the stream ended ${String(missing)} bytes too early`));
      };
      const onEnd = (): void => {
        fail();
      };
      const letGo = (): void => {
        stream.off('readable', take);
        stream.off('end', onEnd);
        stream.off('error', fail);
        stream.off('close', onEnd);
      };
      stream.on('readable', take);
      stream.on('end', onEnd);
      stream.on('error', fail);
      stream.on('close', onEnd);
      take();
    });
    return this.wait(() => `${String(missing)} more bytes at ${this.#nameOf(stream)}`, read);
  }
}
