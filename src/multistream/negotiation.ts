import type { Duplex } from 'node:stream';

import {
  abortError,
  invalidArgType,
  invalidArgValue,
  invalidState,
  WsConnError,
} from '../base/errors.ts';
import { LineDecoder } from './line.ts';
import type { NegotiateSettings } from './options.ts';

/** Failures after which nobody can tell what the next byte means. */
const FATAL: ReadonlySet<unknown> = new Set(['EMSGSIZE', 'EPROTO']);

/** What waits for a line, or for room to write. */
interface Waiting {
  readonly wake: () => void;
  readonly fail: (error: Error) => void;
}

/**
 * Lends a stream to a conversation in lines, and gives it back as it was: unread but for the lines,
 * without listeners, paused where it was paused. Fails when the stream ends or fails, when the time
 * is over and when the signal fires. A failure leaves the stream alone; `EPROTO` and `EMSGSIZE`
 * destroy it with that error.
 *
 * Rejects without touching the stream where it cannot be read byte by byte, or has a reader already.
 */
export async function negotiate<Result>(
  stream: Duplex,
  settings: NegotiateSettings,
  talk: (lines: Lines) => Promise<Result>,
): Promise<Result> {
  checkStream(stream);
  if (settings.signal?.aborted) throw abortError(settings.signal);
  if (stream.destroyed || stream.readableEnded) {
    throw new WsConnError('ECONNRESET', 'the stream had ended before anything was negotiated', {
      cause: stream.errored ?? undefined,
    });
  }
  if (stream.writableEnded) throw invalidState('end() of the stream was called');
  // Last: one that is over has no bytes that a reader could take.
  checkUnread(stream);
  const lines = new Lines(stream, settings);
  try {
    const result = await talk(lines);
    await lines.giveBack();
    return result;
  } catch (error) {
    await lines.giveUp(error as Error);
    throw error;
  }
}

function checkStream(stream: Partial<Duplex> | null | undefined): asserts stream is Duplex {
  if (typeof stream?.read !== 'function' || typeof stream.write !== 'function') {
    throw invalidArgType('stream', 'a Duplex', stream);
  }
  const { readableObjectMode, readableEncoding } = stream;
  if (readableObjectMode) throw invalidArgValue('stream', 'must be one of bytes', stream);
  // It reads characters, of which nobody can tell how many bytes they were.
  if (readableEncoding) throw invalidState('the stream has an encoding; call setEncoding() later');
}

function checkUnread(stream: Duplex): void {
  const readers = stream.listenerCount('data') + stream.listenerCount('readable');
  if (stream.readableFlowing || readers > 0) {
    throw invalidState('the stream is being read; take the listeners off, and pause() it');
  }
}

/** Waits until Node has noticed that a 'readable' listener was taken off, which takes a tick. */
function readableNoticed(): Promise<void> {
  return new Promise((resolve) => {
    process.nextTick(resolve);
  });
}

/** The two directions of a conversation in lines. */
export class Lines {
  /** What the other end is to say next, for messages: "a proposal". */
  awaited = 'its header';
  readonly #stream: Duplex;
  readonly #signal: AbortSignal | undefined;
  readonly #decoder = new LineDecoder();
  readonly #timer: NodeJS.Timeout;
  #reads = false;
  #wasPaused = false;
  #ended = false;
  #error: Error | undefined;
  #waiting: Waiting | undefined;

  constructor(stream: Duplex, { signal, timeout }: NegotiateSettings) {
    this.#stream = stream;
    this.#signal = signal;
    this.#timer = setTimeout(() => {
      const happened = `${this.awaited} did not come within ${String(timeout)} ms`;
      this.#fail(new WsConnError('ETIMEDOUT', happened));
    }, timeout);
    signal?.addEventListener('abort', this.#onAbort);
    stream.on('end', this.#onEnd);
    stream.on('error', this.#onError);
    stream.on('close', this.#onClose);
    stream.on('drain', this.#wake);
  }

  /** Sends bytes, and does not wait until they have left. */
  send(...parts: readonly Uint8Array[]): void {
    this.#stream.write(Buffer.concat(parts));
  }

  /** Waits until the stream takes more: a peer that reads nothing gets no more answers. */
  async drained(): Promise<void> {
    while (this.#stream.writableNeedDrain) await this.#wait();
  }

  /**
   * Reads the next line, and not one byte more; null where the other end has ended its direction
   * behind a whole line.
   * @throws `EPROTO`, `EMSGSIZE`; `ECONNRESET` for an end within a line
   */
  async read(): Promise<Buffer | null> {
    if (!this.#reads) await this.#beginToRead();
    for (;;) {
      if (this.#error) throw this.#error;
      const line = this.#take();
      if (line) return line;
      if (this.#ended && this.#decoder.atBorder) return null;
      if (this.#ended) throw this.cut('ended within a line,');
      await this.#wait();
    }
  }

  /** Makes the error for a stream that is over too early. */
  cut(how: string, cause?: Error): WsConnError {
    return new WsConnError('ECONNRESET', `the stream ${how} before ${this.awaited}`, { cause });
  }

  /** Lets go of the stream. @throws `ECONNRESET` where it fails meanwhile */
  async giveBack(): Promise<void> {
    clearTimeout(this.#timer);
    this.#signal?.removeEventListener('abort', this.#onAbort);
    const stream = this.#stream;
    stream.off('readable', this.#wake);
    stream.off('drain', this.#wake);
    // A reader that began before would wait for ever for the 'readable' of what is here already.
    await readableNoticed();
    stream.off('end', this.#onEnd);
    stream.off('error', this.#onError);
    stream.off('close', this.#onClose);
    if (this.#wasPaused && !stream.destroyed) stream.pause();
    if (this.#error) throw this.#error;
  }

  /** Lets go of the stream after a failure, and destroys it where that was the other end's fault. */
  async giveUp(error: Error): Promise<void> {
    const stream = this.#stream;
    if (error instanceof WsConnError && FATAL.has(error.code) && !stream.destroyed) {
      // The promise tells the error. That nobody else listens must not end the process.
      const tolerate = (): void => undefined;
      stream.on('error', tolerate);
      stream.once('close', () => stream.off('error', tolerate));
      stream.destroy(error);
    }
    // The first failure is the one to tell, and it has been told.
    await this.giveBack().catch(() => undefined);
  }

  async #beginToRead(): Promise<void> {
    this.#reads = true;
    // Of a stream whose last 'readable' listener is just gone Node says until then that it is paused.
    await readableNoticed();
    // A reader that came right behind the call, such as a second negotiation.
    checkUnread(this.#stream);
    this.#wasPaused = this.#stream.isPaused();
    this.#stream.on('readable', this.#wake);
  }

  /** Takes what is there of the next line. */
  #take(): Buffer | undefined {
    const stream = this.#stream;
    while (stream.readableLength > 0) {
      // Never more than is there: read() would raise the high-water mark of the stream for it.
      const size = Math.min(this.#decoder.wanted, stream.readableLength);
      const bytes = stream.read(size) as Buffer | null;
      if (bytes === null) return undefined;
      const line = this.#decoder.take(bytes);
      if (line) return line;
    }
    // Asks for more, and for 'end' where there is none.
    stream.read(0);
    return undefined;
  }

  #wait(): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#error) reject(this.#error);
      else this.#waiting = { wake: resolve, fail: reject };
    });
  }

  #fail(error: Error): void {
    this.#error ??= error;
    this.#waiting?.fail(error);
  }

  readonly #wake = (): void => {
    this.#waiting?.wake();
  };

  readonly #onEnd = (): void => {
    this.#ended = true;
    this.#wake();
  };

  readonly #onError = (error: Error): void => {
    this.#fail(this.cut('failed', error));
  };

  readonly #onClose = (): void => {
    this.#fail(this.cut('was closed', this.#stream.errored ?? undefined));
  };

  readonly #onAbort = (): void => {
    this.#fail(abortError(this.#signal));
  };
}
