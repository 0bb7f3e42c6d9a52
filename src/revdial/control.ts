import type { Duplex } from 'node:stream';

import { invalidArgType, invalidState, WsConnError } from '../base/errors.ts';
import { SocketDuplex } from '../base/socket-duplex.ts';
import { type ControlMessage, formatMessage, MAX_LINE_BYTES, MessageReader } from './messages.ts';
import type { ControlSettings } from './control-options.ts';

/** What a control connection tells its owner. */
export interface ControlEvents {
  onMessage(message: ControlMessage): void;
  /**
   * The connection is of no more use, and no message will come; called exactly once, with its
   * error, or null.
   */
  onLost(error: Error | null): void;
  /**
   * The stream has closed; called exactly once, after `onLost`, with the first error that it had,
   * or null.
   */
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
 * One end of a control connection: the two differ in their messages only. Sends a keep-alive at the
 * start and in every interval, and ends the stream when nothing comes, when what it sends does not
 * leave, or when what comes is no message.
 *
 * Its timers do not keep the process alive: that is for the stream to say.
 */
export class Control {
  readonly #stream: ControlStream;
  readonly #timings: ControlSettings;
  readonly #owner: ControlEvents;
  readonly #reader = new MessageReader();
  #lost = false;
  /** Messages that have not left. */
  #leaving = 0;
  #interval: NodeJS.Timeout | undefined;
  #silence: NodeJS.Timeout | undefined;
  #stuck: NodeJS.Timeout | undefined;

  /** @throws `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_STATE` for a stream that has ended */
  constructor(stream: ControlStream, timings: ControlSettings, owner: ControlEvents) {
    checkStream(stream);
    this.#stream = stream;
    this.#timings = timings;
    this.#owner = owner;
    stream.on('error', this.#onLost);
    stream.on('end', this.#onEnd);
    stream.on('close', this.#onClose);
    stream.on('data', this.#onData);
    // The time that a connection takes to be made is not the peer's silence.
    if (stream.connecting) stream.once('connect', this.#start);
    else this.#start();
  }

  /** Whether messages can no longer be exchanged. */
  get lost(): boolean {
    return this.#lost;
  }

  /**
   * Sends a message, unless the connection is lost. One whose line would be too long is dropped:
   * the peer ends over it.
   */
  send(message: Partial<ControlMessage> & Pick<ControlMessage, 'command'>): void {
    if (this.#lost) return;
    const line = Buffer.from(formatMessage(message));
    if (line.length > MAX_LINE_BYTES) return;
    this.#leaving++;
    if (this.#leaving === 1 && !this.#stream.connecting) this.#limitWrites();
    this.#stream.write(line, () => {
      // An error ends the stream, and is told by that.
      this.#leaving--;
      if (this.#lost) return;
      if (this.#leaving === 0) clearTimeout(this.#stuck);
      else this.#stuck?.refresh();
    });
  }

  /** Ends the connection once what was sent has left. Does nothing when it has ended. */
  close(): void {
    this.#lose();
    const stream = this.#stream;
    if (stream.destroyed) return;
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
    const { keepAliveInterval, keepAliveTimeout } = this.#timings;
    this.#silence = setTimeout(() => {
      this.#fail(
        new WsConnError('ETIMEDOUT', `no control message came for ${String(keepAliveTimeout)} ms`),
      );
    }, keepAliveTimeout).unref();
    this.#interval = setInterval(() => {
      this.send({ command: 'keep-alive' });
    }, keepAliveInterval).unref();
    if (this.#leaving > 0) this.#limitWrites();
    this.send({ command: 'keep-alive' });
  };

  #limitWrites(): void {
    const { writeTimeout } = this.#timings;
    clearTimeout(this.#stuck);
    this.#stuck = setTimeout(() => {
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
        this.#silence?.refresh();
        this.#owner.onMessage(message);
        // What came is thrown away once the owner has closed.
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
    this.close();
  };

  readonly #onLost = (): void => {
    this.#lose();
  };

  #lose(): void {
    if (this.#lost) return;
    this.#lost = true;
    clearInterval(this.#interval);
    clearTimeout(this.#silence);
    clearTimeout(this.#stuck);
    this.#stream.off('data', this.#onData);
    this.#owner.onLost(this.#stream.errored);
  }

  readonly #onClose = (): void => {
    this.#lose();
    clearTimeout(this.#stuck);
    const stream = this.#stream;
    stream.off('error', this.#onLost);
    stream.off('end', this.#onEnd);
    stream.off('close', this.#onClose);
    stream.off('connect', this.#start);
    this.#owner.onClose(stream.errored);
  };
}
