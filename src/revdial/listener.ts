import { EventEmitter } from 'node:events';
import type { Duplex } from 'node:stream';

import type { WsConnAdapter } from '../adapter/adapter.ts';
import { integerOption, timeoutOption } from '../base/check-option.ts';
import { invalidArgType, WsConnError } from '../base/errors.ts';
import { checkKeepaliveOptions, type KeepaliveOptions } from '../keepalive/keepalive.ts';
import { isPathOnly } from './conn-path.ts';
import { Control } from './control.ts';
import type { ControlMessage } from './messages.ts';
import { type DialBack, pickUp } from './dial-back.ts';
import { checkTimings, type ControlTimings } from './control-options.ts';
import { WaitingItems } from '../base/waiting-items.ts';

export interface RevdialListenerOptions extends ControlTimings {
  /**
   * Time in ms that one dial back may take until it is open (20 s in ShellHub's pkg/revdial,
   * grabConn).
   * @default 20000
   */
  readonly dialBackTimeout?: number | undefined;
  /**
   * How each connection that was picked up is kept alive. The device does it, so that the cost is
   * spread over the devices.
   * @default the defaults of Keepalive
   */
  readonly keepalive?: KeepaliveOptions | undefined;
  /**
   * Connections that may wait to be taken by `for await`; while that many wait, the server's dials
   * are refused. As in `net.Server.listen()`.
   * @default 511
   */
  readonly backlog?: number | undefined;
}

export interface RevdialListenerEvents {
  /** A connection was picked up: open, and with its keepalive started. */
  connection: [adapter: WsConnAdapter];
  /** A connection could not be picked up, and the server was told so: for whoever keeps a log. */
  pickupFailed: [error: Error, connPath: string];
  /** The control connection has closed: its first error, or null. The last event. */
  close: [error: Error | null];
}

const DEFAULT_DIAL_BACK_TIMEOUT = 20_000;
const DEFAULT_BACKLOG = 511;

/**
 * The end of a reverse dialer that runs on the device behind NAT: whenever the server asks for a
 * connection over the control connection, it dials the server back and gives that connection.
 * Wire-compatible with ShellHub's pkg/revdial, so that the server may run either. Owns the control
 * connection, and ends with it; to stay reachable, open a new one on 'close'.
 *
 * Take connections from 'connection', or with `for await` where nobody listens to that. The loop
 * ends with the control connection, and throws its error; to leave the loop closes the listener.
 */
export class RevdialListener
  extends EventEmitter<RevdialListenerEvents>
  implements AsyncIterable<WsConnAdapter>
{
  readonly #control: Control;
  readonly #dialBack: DialBack;
  readonly #dialBackTimeout: number;
  readonly #keepalive: KeepaliveOptions;
  readonly #backlog: number;
  /** What gives up each dial back that is not open yet. */
  readonly #pending = new Set<AbortController>();
  readonly #unclaimed = new WaitingItems<WsConnAdapter>();
  readonly #closed: Promise<Error | null>;

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
    this.#keepalive = checkKeepaliveOptions(options.keepalive ?? {}, 'options.keepalive');
    this.#backlog = integerOption('options.backlog', options.backlog, DEFAULT_BACKLOG, 1);
    this.#closed = new Promise((resolve) => {
      this.once('close', resolve);
    });
    this.#control = new Control(control, checkTimings(options), {
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

  /** Whether the control connection can no longer be used, so that no connection will come. */
  get closed(): boolean {
    return this.#control.lost;
  }

  /**
   * Ends the control connection, gives up dials that are not open yet, and closes the connections
   * that nobody has taken; those that were taken stay. Every call gives the same promise, which
   * resolves after 'close' with the first error of the control connection, or null. It never
   * rejects.
   */
  close(): Promise<Error | null> {
    this.#control.close();
    return this.#closed;
  }

  /** Closes as `close()` does, at the end of an `await using` block. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Gives each connection that nobody else has taken. Several loops share them. */
  async *[Symbol.asyncIterator](): AsyncGenerator<WsConnAdapter, void, void> {
    try {
      for (;;) {
        const adapter = await this.#unclaimed.take();
        if (adapter === null) return;
        adapter.off('error', ignore);
        // It may have died while it waited; nobody would ever hear of it.
        if (!adapter.destroyed) yield adapter;
      }
    } finally {
      await this.close();
    }
  }

  #onMessage({ command, connPath }: ControlMessage): void {
    if (command === 'conn-ready') void this.#pickUp(connPath);
  }

  async #pickUp(connPath: string): Promise<void> {
    const abort = new AbortController();
    const limit = setTimeout(() => {
      const happened = `dialling back took longer than ${String(this.#dialBackTimeout)} ms`;
      abort.abort(new WsConnError('ETIMEDOUT', happened));
    }, this.#dialBackTimeout);
    this.#pending.add(abort);
    try {
      this.#checkAsked(connPath);
      const adapter = await pickUp(this.#dialBack, connPath, abort.signal);
      this.#pending.delete(abort);
      adapter.ping(this.#keepalive);
      this.#handOver(adapter);
    } catch (error) {
      this.#onFailure(error as Error, connPath);
    } finally {
      clearTimeout(limit);
      this.#pending.delete(abort);
    }
  }

  /**
   * Refuses what must not be dialled: a server that was taken over is no reason to connect to
   * somewhere else.
   */
  #checkAsked(connPath: string): void {
    if (!isPathOnly(connPath)) {
      throw new WsConnError(
        'EPROTO',
        `the server asked to dial ${JSON.stringify(connPath)}, which is no path`,
      );
    }
    // Those that are being dialled will wait too if nobody takes them; this one is among them.
    const waiting = this.#unclaimed.surplus + this.#pending.size - 1;
    if (waiting >= this.#backlog && this.listenerCount('connection') === 0) {
      throw new WsConnError(
        'ECONNREFUSED',
        `${String(this.#backlog)} connections wait to be taken already`,
      );
    }
  }

  #handOver(adapter: WsConnAdapter): void {
    // Whoever gets it listens to its errors; until then, nobody does.
    adapter.on('error', ignore);
    // On a tick of its own: what a listener throws must not end up in a promise.
    process.nextTick(() => {
      if (this.closed) {
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
    if (this.closed) return;
    this.#control.send({ command: 'pickup-failed', connPath, err: error.message });
    process.nextTick(() => this.emit('pickupFailed', error, connPath));
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
  // An error of a connection that nobody has taken concerns nobody.
}
