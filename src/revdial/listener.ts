import { EventEmitter } from 'node:events';
import type { Duplex } from 'node:stream';

import type { WsConnAdapter } from '../adapter/adapter.ts';
import { integerOption, timeoutOption } from '../base/check-option.ts';
import { invalidArgType, WsConnError } from '../base/errors.ts';
import { WaitingItems } from '../base/waiting-items.ts';
import { keepaliveOption, type KeepaliveOptions } from '../keepalive/options.ts';
import { isPathOnly } from './conn-path.ts';
import { checkControlOptions, type ControlOptions } from './control-options.ts';
import { Control } from './control.ts';
import { type DialBack, openDialBack } from './dial-back.ts';
import type { ControlMessage } from './messages.ts';

export interface RevdialListenerOptions {
  /** Timings of the control connection. */
  readonly control?: ControlOptions | undefined;
  /**
   * Time in ms that one dial back may take until it is open (20 s in ShellHub's pkg/revdial,
   * grabConn).
   * @default 20000
   */
  readonly dialBackTimeout?: number | undefined;
  /**
   * Whether to keep alive each connection that was dialled back, and with which options. The device
   * does it, so that the cost is spread over the devices.
   * @default true
   */
  readonly keepalive?: boolean | KeepaliveOptions | undefined;
  /**
   * Connections that may wait for `for await` to take them. While that many wait, further dials of
   * the server are refused. The default is that of `net.Server.listen()`.
   * @default 511
   */
  readonly backlog?: number | undefined;
}

export interface RevdialListenerEvents {
  /** A connection that was dialled back: open, and with its keepalive started if it has one. */
  connection: [adapter: WsConnAdapter];
  /** Dialling back failed, and the server was informed. For a log. */
  dialBackFailed: [error: Error, connPath: string];
  /** The control connection has closed: its first error, or null. The last event. */
  close: [error: Error | null];
}

const DEFAULT_DIAL_BACK_TIMEOUT = 20_000;
const DEFAULT_BACKLOG = 511;

/**
 * The end of a reverse dialer that runs on the device behind NAT. Whenever the server asks for a
 * connection over the control connection, it dials the server back and hands that connection over.
 * Wire-compatible with ShellHub's pkg/revdial: the server may be that program. Owns the control
 * connection, and ends with it. To stay reachable, open a new one on 'close'.
 *
 * Take connections from 'connection', or with `for await` where nobody listens to that. The loop
 * ends with the control connection, and throws its error. Leaving the loop closes the listener.
 */
export class RevdialListener
  extends EventEmitter<RevdialListenerEvents>
  implements AsyncIterable<WsConnAdapter>
{
  readonly #control: Control;
  readonly #dialBack: DialBack;
  readonly #dialBackTimeout: number;
  readonly #keepalive: KeepaliveOptions | undefined;
  readonly #backlog: number;
  /** Aborts the dials back that are not open yet. */
  readonly #pending = new Set<AbortController>();
  readonly #unclaimed = new WaitingItems<WsConnAdapter>();

  /**
   * @param control - control connection to the server: any Duplex, open or still connecting
   * @throws `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`; `ERR_INVALID_STATE` for a control
   * connection that has ended
   */
  constructor(control: Duplex, dialBack: DialBack, options: RevdialListenerOptions = {}) {
    super();
    if (typeof dialBack !== 'function')
      throw invalidArgType('dialBack', 'of type function', dialBack);
    this.#dialBack = dialBack;
    this.#dialBackTimeout = timeoutOption(
      'options.dialBackTimeout',
      options.dialBackTimeout,
      DEFAULT_DIAL_BACK_TIMEOUT,
    );
    this.#keepalive = keepaliveOption(options.keepalive, true);
    this.#backlog = integerOption('options.backlog', options.backlog, DEFAULT_BACKLOG, 1);
    this.#control = new Control(control, checkControlOptions(options.control), {
      onMessage: (message) => {
        this.#onMessage(message);
      },
      onLost: () => {
        this.#onLost();
      },
      onClose: (error) => {
        this.#unclaimed.end(error);
        this.emit('close', error);
      },
    });
  }

  /** Whether 'close' has been emitted. */
  get closed(): boolean {
    return this.#control.closed;
  }

  /**
   * Ends the control connection, gives up dials that are not open yet, and destroys the connections
   * that nobody has taken. Those that were taken stay. Every call returns the same promise, which
   * resolves after 'close' with the first error of the control connection, or null. It never
   * rejects.
   */
  close(): Promise<Error | null> {
    return this.#control.close();
  }

  /** Closes as `close()` does, at the end of an `await using` block. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Yields each connection that nobody else has taken. Several loops share them. */
  async *[Symbol.asyncIterator](): AsyncGenerator<WsConnAdapter, void, void> {
    try {
      for (;;) {
        const adapter = await this.#unclaimed.take();
        if (adapter === null) return;
        adapter.off('error', ignore);
        // One that died while it waited would never report it.
        if (!adapter.destroyed) yield adapter;
      }
    } finally {
      await this.close();
    }
  }

  #onMessage({ command, connPath }: ControlMessage): void {
    if (command === 'conn-ready') void this.#onConnReady(connPath);
  }

  async #onConnReady(connPath: string): Promise<void> {
    const abort = new AbortController();
    const limit = setTimeout(() => {
      const happened = `dialling back took longer than ${String(this.#dialBackTimeout)} ms`;
      abort.abort(new WsConnError('ETIMEDOUT', happened));
    }, this.#dialBackTimeout);
    this.#pending.add(abort);
    try {
      this.#checkRequest(connPath);
      const adapter = await openDialBack(this.#dialBack, connPath, abort.signal);
      this.#pending.delete(abort);
      if (this.#keepalive) adapter.ping(this.#keepalive);
      this.#handOver(adapter);
    } catch (error) {
      this.#onFailure(error as Error, connPath);
    } finally {
      clearTimeout(limit);
      this.#pending.delete(abort);
    }
  }

  /**
   * Throws where the server's request must not be followed. A server that was taken over must not
   * make the device connect to somewhere else.
   */
  #checkRequest(connPath: string): void {
    if (!isPathOnly(connPath)) {
      throw new WsConnError(
        'EPROTO',
        `the server asked to dial ${JSON.stringify(connPath)}, which is no path`,
      );
    }
    // Those that are being dialled, this one included, will wait too if nobody takes them.
    const waiting = this.#unclaimed.surplus + this.#pending.size - 1;
    if (waiting >= this.#backlog && this.listenerCount('connection') === 0) {
      throw new WsConnError(
        'ECONNREFUSED',
        `${String(this.#backlog)} connections wait to be taken already`,
      );
    }
  }

  #handOver(adapter: WsConnAdapter): void {
    // Until somebody takes it, nobody else listens to its errors.
    adapter.on('error', ignore);
    // On a tick of its own, so that an error thrown by a listener does not end up in a promise.
    process.nextTick(() => {
      if (this.#control.lost) {
        adapter.destroy();
      } else if (this.listenerCount('connection') > 0) {
        adapter.off('error', ignore);
        this.emit('connection', adapter);
      } else {
        this.#unclaimed.add(adapter);
      }
    });
  }

  #onFailure(error: Error, connPath: string): void {
    if (this.#control.lost) return;
    this.#control.send({ command: 'pickup-failed', connPath, err: error.message });
    process.nextTick(() => this.emit('dialBackFailed', error, connPath));
  }

  #onLost(): void {
    const lost = new WsConnError(
      'ECONNRESET',
      'the listener was closed, or its control connection lost',
    );
    for (const abort of this.#pending) abort.abort(lost);
    for (const adapter of this.#unclaimed.clear()) adapter.destroy();
  }
}

function ignore(): void {
  // Nobody has taken this connection, so nobody needs its error.
}
