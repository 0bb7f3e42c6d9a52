/** One end of a connection under test: what it was told, what it said, and whether it kept its word. */
import { getEventListeners } from 'node:events';
import type net from 'node:net';
import type { Writable } from 'node:stream';

import type { WebSocket } from 'ws';

import { resetSocket } from '../../../src/index.ts';
import { belongsAt, bytesAt } from '../pattern.ts';

/** What a pair may be made of. */
export type End = net.Socket & {
  close?(code?: number): Promise<Error | null>;
  ping?(): unknown;
  readonly ws?: WebSocket | null;
};

/** Time in ms that the ends of histories give a peer to answer a Close. */
export const CLOSE_TIMEOUT = 400;
/**
 * Time in ms by which a busy machine may be late. Less than any time limit that the package has by
 * default, so that one which is taken for `closeTimeout` is seen.
 */
const SLACK = 4_000;

/** A promise that was broken. */
export class Broken extends Error {}

const EVENTS = ['connect', 'ready', 'end', 'finish', 'timeout', 'error', 'close', 'drain'] as const;

/** Codes that the errors of a connection may have, whatever happens to it. */
const KNOWN = new Set([
  'ABORT_ERR',
  'ECONNREFUSED',
  'ECONNRESET',
  'EMSGSIZE',
  'EPIPE',
  'EPROTO',
  'ETIMEDOUT',
  'ERR_STREAM_PREMATURE_CLOSE',
  'ON_PURPOSE',
]);

export class WatchedEnd {
  readonly stream: End;
  readonly name: string;
  readonly signal: AbortController;
  /** Payload that was written while the stream took it, in bytes. */
  sent = 0;
  /** Payload that came out, in bytes. */
  received = 0;
  /** Whether this end has ended its direction in a way that the peer may see as an end. */
  endedInOrder = false;
  /** Whether this end was ended as a whole from here, so that it needs neither 'end' nor 'error'. */
  #endedHere = false;
  readonly #events: string[] = [];
  readonly #errors: Error[] = [];
  /** How often each write was called back. */
  readonly #callbacks: number[] = [];
  readonly #closes: Promise<Error | null>[] = [];
  /** What ping() has returned. */
  readonly #keepalives = new Set<unknown>();
  readonly #closedAt: (Error | null)[] = [];
  readonly #problems: string[] = [];
  readonly #onEnd: () => void;
  #encoding: 'hex' | 'latin1' | undefined;
  #hadError: unknown;
  #erroredAtClose: Error | null = null;
  #readBy: 'hand' | 'data' | 'pipe' | 'iterator' = 'hand';
  #sink: Writable | null = null;

  constructor(name: string, stream: End, signal: AbortController, onEnd: () => void) {
    this.name = name;
    this.stream = stream;
    this.signal = signal;
    this.#onEnd = onEnd;
    for (const event of EVENTS) {
      stream.on(event, (...args: unknown[]) => {
        this.#see(event, args);
      });
    }
  }

  get closed(): boolean {
    return this.#events.includes('close');
  }

  get sawEnd(): boolean {
    return this.#events.includes('end');
  }

  get errors(): readonly Error[] {
    return this.#errors;
  }

  /** Takes note that this end is about to be ended as a whole, if it has not ended by itself. */
  endHere(): void {
    if (!this.stream.destroyed) this.#endedHere = true;
  }

  /** Starts to read by 'data', unless it is read otherwise. */
  flow(): void {
    if (this.#readBy !== 'hand') return;
    this.#readBy = 'data';
    this.stream.on('data', this.take);
  }

  /** Reads what is there, or nothing. */
  read(size: number): void {
    if (this.#readBy !== 'hand' && this.#readBy !== 'data') return;
    // What Readable still holds then is nobody's promise, as with net.Socket.
    if (this.stream.destroyed) return;
    // Two characters of hex are one byte.
    const count = this.#encoding === 'hex' ? 2 * size : size;
    const chunk = this.stream.read(count) as Buffer | string | null;
    // By 'data' it was given already.
    if (chunk !== null && this.#readBy === 'hand') this.take(chunk);
  }

  /** Reads with `for await` and leaves the loop after some chunks, which destroys the stream. */
  async iterate(chunks: number): Promise<void> {
    const { stream } = this;
    if (this.#readBy !== 'hand' || stream.destroyed || stream.readableEnded) return;
    this.#readBy = 'iterator';
    let left = chunks;
    try {
      for await (const chunk of stream) {
        this.take(chunk as Buffer);
        if (--left > 0) continue;
        this.endedInOrder = true;
        this.endHere();
        break;
      }
    } catch {
      // It is the error of the stream, which 'error' has told of.
    }
  }

  readonly take = (chunk: Buffer | string): void => {
    if (this.closed) this.problem("payload came after 'close'");
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk, this.#encoding) : chunk;
    if (!belongsAt(this.received, bytes)) {
      this.problem(
        `bytes ${String(this.received)} to ${String(this.received + bytes.length)} are not what was sent`,
      );
    }
    this.received += bytes.length;
  };

  /** Takes note of a broken promise; the run goes on, so that what comes of it is seen too. */
  problem(what: string): void {
    this.#problems.push(`${this.name}: ${what}`);
  }

  write(size: number, reuse: boolean): void {
    const { stream } = this;
    if (stream.writableEnded || stream.destroyed) return;
    const chunk = bytesAt(this.sent, size);
    this.sent += size;
    const index = this.#callbacks.push(0) - 1;
    stream.write(chunk, (error) => {
      this.#callbacks[index] = (this.#callbacks[index] ?? 0) + 1;
      if (reuse && !error) chunk.fill(0);
    });
  }

  /** Bytes that went around the stream, in messages of its WebSocket. */
  sentAside(size: number): Buffer {
    const chunk = bytesAt(this.sent, size);
    this.sent += size;
    return chunk;
  }

  end(size: number): void {
    const { stream } = this;
    this.endedInOrder = true;
    if (stream.writableEnded || stream.destroyed) return;
    if (size === 0) {
      stream.end();
      return;
    }
    const chunk = bytesAt(this.sent, size);
    this.sent += size;
    stream.end(chunk);
  }

  reset(): void {
    // A net.Socket whose shutdown is under way fails with EINVAL and never emits 'close' (Node 20 to
    // 26): the one that is only there to be tunnelled is spared it.
    this.endHere();
    if (this.stream.close) this.stream.resetAndDestroy();
    else resetSocket(this.stream);
  }

  close(code: number): void {
    const { stream } = this;
    if (!stream.close) {
      this.end(0);
      return;
    }
    // Only a WebSocket has a code to tell its peer.
    if (code === 1000 || !stream.ws) this.endedInOrder = true;
    this.endHere();
    const calledAt = performance.now();
    const closed = stream.close(code);
    this.#closes.push(closed);
    closed.then(
      (error) => {
        const took = performance.now() - calledAt;
        if (took > CLOSE_TIMEOUT + SLACK) this.problem(`close() took ${took.toFixed(0)} ms`);
        if (!this.closed) this.problem("close() resolved before 'close'");
        this.#closedAt.push(error);
      },
      () => {
        this.problem('close() rejected');
      },
    );
  }

  ping(): void {
    if (this.stream.ping) this.#keepalives.add(this.stream.ping());
  }

  encode(encoding: 'hex' | 'latin1'): void {
    // Readable decodes what it holds only once, and the reader must know by which.
    if (this.#encoding || this.received > 0 || this.stream.readableLength > 0) return;
    this.#encoding = encoding;
    this.stream.setEncoding(encoding);
  }

  /** Pipes into something that takes as it pleases. */
  pipe(sink: Writable): void {
    if (this.#readBy !== 'hand') return;
    this.#readBy = 'pipe';
    this.#sink = sink;
    // Counted as it leaves the stream, for the sink may hold the last chunks back.
    this.stream.on('data', this.take);
    this.stream.pipe(sink);
  }

  unpipe(): void {
    if (!this.#sink) return;
    // First, or unpipe() would have the stream flow on to nobody.
    this.stream.off('data', this.take);
    this.stream.unpipe(this.#sink);
    this.#sink = null;
    this.#readBy = 'hand';
  }

  #see(event: string, args: readonly unknown[]): void {
    if (this.closed) this.problem(`'${event}' came after 'close'`);
    this.#events.push(event);
    if (event === 'error') this.#errors.push(args[0] as Error);
    if (event === 'end') this.#onEnd();
    if (event !== 'close') return;
    this.#hadError = args[0];
    this.#erroredAtClose = this.stream.errored;
  }

  /**
   * Returns the promises that were broken, once 'close' is some turns old.
   * @param bare - whether it is a net.Socket, the control
   */
  broken(bare: boolean): string[] {
    const { stream } = this;
    const counts = (name: string): number => this.#events.filter((one) => one === name).length;
    const first = this.#errors[0] ?? null;
    const say = (holds: boolean, what: string): void => {
      if (!holds) this.problem(what);
    };
    say(counts('close') === 1, `'close' came ${String(counts('close'))} times`);
    say(counts('end') <= 1, `'end' came ${String(counts('end'))} times`);
    say(counts('finish') <= 1, `'finish' came ${String(counts('finish'))} times`);
    say(
      bare || this.#endedHere || first !== null || this.sawEnd,
      "it was ended by the other side, with neither 'end' nor 'error'",
    );
    say(this.#errors.length <= 1, `'error' came ${String(this.#errors.length)} times`);
    say(this.#hadError === (first !== null), `'close' said ${String(this.#hadError)} of an error`);
    say(
      // Node sets it for writes that destroy() has lost.
      bare || stream.errored === this.#erroredAtClose,
      `errored changed after 'close', to ${String(stream.errored)}`,
    );
    if (stream.close) {
      say(stream.errored === first, `errored is ${String(stream.errored)}, not ${String(first)}`);
    }
    for (const error of this.#errors) {
      const { code } = error as NodeJS.ErrnoException;
      say(
        code !== undefined && KNOWN.has(code),
        `an error has the code ${String(code)}: ${error.message}`,
      );
    }
    const called = this.#callbacks.filter((count) => count !== 1);
    say(called.length === 0, `writes were called back ${called.join(', ')} times`);
    say(new Set(this.#closes).size <= 1, 'close() returned different promises');
    say(this.#keepalives.size <= 1, 'ping() started more than one keepalive');
    say(this.#closedAt.length === this.#closes.length, 'close() did not resolve');
    for (const error of this.#closedAt) {
      say(error === first, `close() gave ${String(error)}, 'error' ${String(first)}`);
    }
    say(
      // net.Socket leaves its own there.
      bare || getEventListeners(this.signal.signal, 'abort').length === 0,
      'a listener is left on the signal',
    );
    return this.#problems;
  }
}
