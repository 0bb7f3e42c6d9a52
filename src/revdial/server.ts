import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

import { invalidArgType, invalidArgValue, invalidState } from '../base/errors.ts';
import { isPathOnly } from './conn-path.ts';
import {
  checkControlOptions,
  type ControlOptions,
  type ControlSettings,
} from './control-options.ts';
import { RevdialDialer } from './dialer.ts';
import { type DialBackOptions, PendingDials } from './pending-dials.ts';

export interface RevdialServerOptions extends DialBackOptions {
  /**
   * Path, and maybe query, that devices dial back to, such as ShellHub's `/ssh/revdial`: at most
   * 1024 printable ASCII characters.
   */
  readonly path: string;
  /** Timings of the control connections. */
  readonly control?: ControlOptions | undefined;
}

export interface CreateDialerOptions {
  /**
   * Identifies the dialer to its device: 1 to 128 letters, digits, `-`, `.`, `_` or `~`. Two
   * dialers may have the same.
   * @default 128 random bits, in hex
   */
  readonly id?: string | undefined;
}

/** As many random bits as ShellHub's dialers have (pkg/revdial, newUniqID). */
const ID_BYTES = 16;

/**
 * Leaves most of a control line (4096 bytes) free, also where a device sends the path back with an
 * error.
 */
const MAX_PATH_LENGTH = 1024;

/**
 * The public end of a reverse dialer. Devices behind NAT open control connections to it, and dial
 * back when it asks them to. Wire-compatible with ShellHub's pkg/revdial: a device may be that
 * program.
 *
 * It has no port of its own. Accept control connections as you like (`createServer()` of this
 * package, with `authenticate`). Make each a dialer with `createDialer()`. Pass the upgrades for
 * the path to `handleUpgrade()`.
 */
export class RevdialServer {
  /** Dialers whose control connection is open. */
  readonly dialers: ReadonlySet<RevdialDialer>;
  readonly #dialers = new Set<RevdialDialer>();
  readonly #path: string;
  readonly #control: ControlSettings;
  readonly #pendingDials: PendingDials;
  #closing: Promise<void> | null = null;

  /** @throws `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`, `ERR_OUT_OF_RANGE` */
  constructor(options: RevdialServerOptions) {
    const { path } = options;
    if (typeof path !== 'string') throw invalidArgType('options.path', 'of type string', path);
    if (!isPathOnly(path) || path.length > MAX_PATH_LENGTH) {
      const problem = `must begin with one '/' and have at most ${String(MAX_PATH_LENGTH)} printable ASCII characters, none of them '\\' or '#'`;
      throw invalidArgValue('options.path', problem, path);
    }
    this.#path = path;
    this.#control = checkControlOptions(options.control);
    this.#pendingDials = new PendingDials(options);
    this.dialers = this.#dialers;
  }

  /**
   * Answers a handshake from the 'upgrade' event of any HTTP server. The one that a dial waits for,
   * by the id of its dialer and the uuid of the dial, becomes that dial's connection. Every other
   * gets 400. The rest of the path does not matter, since proxies rewrite paths.
   */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#pendingDials.handleUpgrade(request, socket, head);
  }

  /**
   * Makes a dialer of a control connection: any Duplex, open or still connecting. The dialer owns
   * it from then on. A device may have several control connections, each with a dialer of its own.
   * @throws `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`; `ERR_INVALID_STATE` for a control
   * connection that has ended, and after `close()`
   */
  createDialer(control: Duplex, options: CreateDialerOptions = {}): RevdialDialer {
    if (this.#closing) throw invalidState('this server is closed');
    const { id = randomBytes(ID_BYTES).toString('hex') } = options;
    if (typeof id !== 'string') throw invalidArgType('options.id', 'of type string', id);
    if (!/^[\w.~-]{1,128}$/.test(id)) {
      throw invalidArgValue(
        'options.id',
        "must be 1 to 128 letters, digits, '-', '.', '_' or '~'",
        id,
      );
    }
    const dialer = new RevdialDialer(control, {
      id,
      path: this.#path,
      control: this.#control,
      pendingDials: this.#pendingDials,
    });
    this.#dialers.add(dialer);
    dialer.once('close', () => this.#dialers.delete(dialer));
    return dialer;
  }

  /**
   * Closes all dialers, and refuses devices that dial back from then on. Connections that were made
   * stay. Every call returns the same promise, which resolves when the control connections have
   * closed. It never rejects.
   */
  close(): Promise<void> {
    this.#closing ??= Promise.all([...this.#dialers].map((dialer) => dialer.close())).then(
      () => undefined,
    );
    return this.#closing;
  }

  /** Closes as `close()` does, at the end of an `await using` block. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
