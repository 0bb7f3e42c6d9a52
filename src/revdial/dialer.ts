import { randomUUID } from 'node:crypto';
import { EventEmitter } from 'node:events';
import type { Duplex } from 'node:stream';

import type { WsConnAdapter } from '../adapter/adapter.ts';
import { timeoutOption } from '../base/check-option.ts';
import { abortError, invalidArgType, WsConnError } from '../base/errors.ts';
import { formatConnPath, parseConnPath } from './conn-path.ts';
import type { ControlSettings } from './control-options.ts';
import { Control } from './control.ts';
import type { ControlMessage } from './messages.ts';
import type { PendingDials } from './pending-dials.ts';

export interface DialOptions {
  /**
   * Ends the dial with an `AbortError` when it fires. A connection that was made already stays.
   */
  readonly signal?: AbortSignal | undefined;
  /**
   * Time in ms that the device may take to dial back; then the error is `ETIMEDOUT`. The default
   * leaves the device its own 20 s (ShellHub, pkg/revdial), and time to report a failure.
   * @default 25000
   */
  readonly timeout?: number | undefined;
}

export interface RevdialDialerEvents {
  /**
   * The control connection has closed: its first error, or null. The last event, and the only one.
   */
  close: [error: Error | null];
}

/** Settings that a dialer has from its server. */
export interface DialerSettings {
  readonly id: string;
  /** Path, and maybe query, that a device dials back to. */
  readonly path: string;
  readonly control: ControlSettings;
  readonly pendingDials: PendingDials;
}

const DEFAULT_DIAL_TIMEOUT = 25_000;

/**
 * Makes connections to one device, over the control connection that the device has opened. Made by
 * `RevdialServer.createDialer()`. Owns the control connection, and ends with it.
 */
export class RevdialDialer extends EventEmitter<RevdialDialerEvents> {
  /** Identifies this dialer to the device, in every path that the device is asked to dial. */
  readonly id: string;
  readonly #settings: DialerSettings;
  readonly #control: Control;
  /** Functions that fail the dials which wait, by uuid. */
  readonly #failDial = new Map<string, (error: Error) => void>();
  #closedBy: Error | null = null;

  /** @internal */
  constructor(control: Duplex, settings: DialerSettings) {
    super();
    this.id = settings.id;
    this.#settings = settings;
    this.#control = new Control(control, settings.control, {
      onMessage: (message) => {
        this.#onMessage(message);
      },
      onLost: (error) => {
        this.#onLost(error);
      },
      onClose: (error) => {
        this.emit('close', error);
      },
    });
  }

  /** Whether 'close' has been emitted. `dial()` fails as soon as the control connection ends. */
  get closed(): boolean {
    return this.#control.closed;
  }

  /**
   * Asks the device to dial back, and resolves with that connection. A dial costs one message. A
   * device that dials back after the dial has ended is refused.
   *
   * Rejects with `ECONNRESET` where the control connection is lost or gets lost, `ECONNREFUSED`
   * where the device reports that it cannot dial back, `ETIMEDOUT` where it does not dial back in
   * time, an `AbortError` (`code` `ABORT_ERR`, `cause` the signal's reason), and
   * `ERR_INVALID_ARG_TYPE` or `ERR_OUT_OF_RANGE` for an option.
   */
  async dial(options: DialOptions = {}): Promise<WsConnAdapter> {
    const { signal } = options;
    const timeout = timeoutOption('options.timeout', options.timeout, DEFAULT_DIAL_TIMEOUT);
    if (signal !== undefined && !(signal instanceof AbortSignal)) {
      throw invalidArgType('options.signal', 'an AbortSignal', signal);
    }
    if (signal?.aborted) throw abortError(signal);
    if (this.#control.lost) throw this.#lostError();
    return await this.#dial(timeout, signal);
  }

  /**
   * Ends the control connection. Dials that wait fail with `ECONNRESET`. Connections that were made
   * stay. Every call returns the same promise, which resolves after 'close' with the first error of
   * the control connection, or null. It never rejects.
   */
  close(): Promise<Error | null> {
    return this.#control.close();
  }

  /** Closes as `close()` does, at the end of an `await using` block. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #dial(timeout: number, signal: AbortSignal | undefined): Promise<WsConnAdapter> {
    const { id, path, pendingDials } = this.#settings;
    const uuid = randomUUID();
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
        this.#failDial.delete(uuid);
        pendingDials.remove(uuid);
      };
      const fail = (error: Error): void => {
        settle();
        reject(error);
      };
      const onAbort = (): void => {
        fail(abortError(signal));
      };
      const timer = setTimeout(() => {
        fail(
          new WsConnError('ETIMEDOUT', `the device did not dial back within ${String(timeout)} ms`),
        );
      }, timeout);
      signal?.addEventListener('abort', onAbort);
      this.#failDial.set(uuid, fail);
      // A device may be fast: the dial waits before the device is asked.
      pendingDials.add({ dialer: id, uuid }, (adapter) => {
        settle();
        resolve(adapter);
      });
      this.#control.send({
        command: 'conn-ready',
        connPath: formatConnPath(path, { dialer: id, uuid }),
      });
    });
  }

  #onMessage({ command, connPath, err }: ControlMessage): void {
    if (command !== 'pickup-failed') return;
    // The device sends back the path that it was asked to dial. Only the dial of that path fails.
    const ids = parseConnPath(connPath);
    if (ids?.dialer !== this.id) return;
    const said = err === '' ? 'it gave no reason' : JSON.stringify(err);
    this.#failDial.get(ids.uuid)?.(
      new WsConnError('ECONNREFUSED', `the device could not dial back: ${said}`),
    );
  }

  #onLost(error: Error | null): void {
    this.#closedBy = error;
    for (const fail of [...this.#failDial.values()]) fail(this.#lostError());
  }

  #lostError(): WsConnError {
    return new WsConnError('ECONNRESET', 'the control connection of the device is closed', {
      cause: this.#closedBy ?? undefined,
    });
  }
}
