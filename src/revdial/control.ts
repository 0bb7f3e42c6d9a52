import type { Duplex } from 'node:stream';

import { invalidArgType, invalidState, WsConnError } from '../base/errors.ts';
import { SocketDuplex } from '../base/socket-duplex.ts';
import type { ControlSettings } from './control-options.ts';
import { type ControlMessage, formatMessage, MAX_LINE_BYTES, MessageReader } from './messages.ts';

/** Events of a control connection. */
export interface ControlEvents {
  onMessage(message: ControlMessage): void;
  /**
   * No message can be exchanged any more. Called exactly once, with the error of the connection, or
   * null.
   */
  onLost(error: Error | null): void;
  /** The stream has closed. Called exactly once, after `onLost`, with its first error, or null. */
  onClose(error: Error | null): void;
}

/** A socket may still be connecting; other streams are not. */
type ControlStream = Duplex & { readonly connecting?: boolean };

function checkStream(stream: Partial<Duplex> | null | undefined): void {
  if (typeof stream?.write !== 'function' || typeof stream.on !== 'function') {
    throw invalidArgType('control', 'a Duplex', stream);
  }
  if (stream.destroyed || !stream.readable || !stream.writable) {
    throw invalidState('the control connection has ended');
  }
}

/**
 * One end of a control connection; the two ends differ only in their messages. Sends a keep-alive
 * at the start and in every interval. Ends the stream when nothing comes, when a message does not
 * leave, or when what comes is no message.
 *
 * Its timers do not keep the process alive. The stream may.
 */
export class Control {
  readonly #stream: ControlStream;
  readonly #settings: ControlSettings;
  readonly #events: ControlEvents;
  readonly #reader = new MessageReader();
  readonly #whenClosed: Promise<Error | null>;
  #resolveClosed: (error: Error | null) => void = () => undefined;
  #lost = false;
  #closed = false;
  /** Messages that have not left. */
  #unsent = 0;
  #keepAliveTimer: NodeJS.Timeout | undefined;
  #silenceTimer: NodeJS.Timeout | undefined;
  #writeTimer: NodeJS.Timeout | undefined;

  /** @throws `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_STATE` for a stream that has ended */
  constructor(stream: ControlStream, settings: ControlSettings, events: ControlEvents) {
    checkStream(stream);
    this.#stream = stream;
    this.#settings = settings;
    this.#events = events;
    this.#whenClosed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    stream.on('error', this.#onLost);
    stream.on('end', this.#onEnd);
    stream.on('close', this.#onClose);
    stream.on('data', this.#onData);
    // The time that it takes to connect is not the peer's silence.
    if (stream.connecting) stream.once('connect', this.#start);
    else this.#start();
  }

  /** Whether messages can no longer be exchanged. */
  get lost(): boolean {
    return this.#lost;
  }

  /** Whether the stream has closed; true already when `onClose` is called. */
  get closed(): boolean {
    return this.#closed;
  }

  /**
   * Sends a message, unless the connection is lost. Drops one whose line would be too long: the
   * peer would end the connection over it.
   */
  send(message: Partial<ControlMessage> & Pick<ControlMessage, 'command'>): void {
    if (this.#lost) return;
    const line = Buffer.from(formatMessage(message));
    if (line.length > MAX_LINE_BYTES) return;
    this.#unsent++;
    if (this.#unsent === 1 && !this.#stream.connecting) this.#limitWrites();
    this.#stream.write(line, () => {
      // An error ends the stream, which reports it.
      this.#unsent--;
      if (this.#lost) return;
      if (this.#unsent === 0) clearTimeout(this.#writeTimer);
      else this.#writeTimer?.refresh();
    });
  }

  /**
   * Ends the connection once what was sent has left. Every call returns the same promise, which
   * resolves after `onClose` with the first error of the stream, or null.
   */
  close(): Promise<Error | null> {
    this.#lose();
    if (!this.#stream.destroyed) this.#end();
    return this.#whenClosed;
  }

  #end(): void {
    const stream = this.#stream;
    stream.resume();
    if (stream instanceof SocketDuplex) {
      void stream.close();
    } else if (stream.connecting) {
      stream.destroy();
    } else {
      this.#limitWrites();
      stream.end(() => stream.destroy());
    }
  }

  readonly #start = (): void => {
    if (this.#lost) return;
    const { interval, timeout } = this.#settings;
    this.#silenceTimer = setTimeout(() => {
      this.#fail(new WsConnError('ETIMEDOUT', `no control message came for ${String(timeout)} ms`));
    }, timeout).unref();
    this.#keepAliveTimer = setInterval(() => {
      this.send({ command: 'keep-alive' });
    }, interval).unref();
    if (this.#unsent > 0) this.#limitWrites();
    this.send({ command: 'keep-alive' });
  };

  #limitWrites(): void {
    const { writeTimeout } = this.#settings;
    clearTimeout(this.#writeTimer);
    this.#writeTimer = setTimeout(() => {
      this.#fail(
        new WsConnError(
          'ETIMEDOUT',
          `a control message did not leave within ${String(writeTimeout)} ms`,
        ),
      );
    }, writeTimeout).unref();
  }

  readonly #onData = (chunk: Buffer): void => {
    try {
      for (const message of this.#reader.read(chunk)) {
        this.#silenceTimer?.refresh();
        this.#events.onMessage(message);
        // The rest is discarded once the owner has closed.
        if (this.#lost) return;
      }
    } catch (error) {
      this.#fail(error as Error);
    }
  };

  #fail(error: Error): void {
    this.#stream.destroy(error);
    this.#lose();
  }

  readonly #onEnd = (): void => {
    void this.close();
  };

  readonly #onLost = (): void => {
    this.#lose();
  };

  #lose(): void {
    if (this.#lost) return;
    this.#lost = true;
    clearInterval(this.#keepAliveTimer);
    clearTimeout(this.#silenceTimer);
    clearTimeout(this.#writeTimer);
    this.#stream.off('data', this.#onData);
    this.#events.onLost(this.#stream.errored);
  }

  readonly #onClose = (): void => {
    this.#lose();
    clearTimeout(this.#writeTimer);
    const stream = this.#stream;
    stream.off('error', this.#onLost);
    stream.off('end', this.#onEnd);
    stream.off('close', this.#onClose);
    stream.off('connect', this.#start);
    this.#closed = true;
    this.#resolveClosed(stream.errored);
    this.#events.onClose(stream.errored);
  };
}
