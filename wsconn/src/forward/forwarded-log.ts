import type net from 'node:net';

import type { Log } from '../log/log.ts';
import { showHostPort } from '../console/place.ts';
import type { Wish } from '../tunnel/stream-header.ts';
import { showWish } from './local-port.ts';

/** How a connection ended that was whole. */
export interface Ended {
  /** Whoever ended it first: the local program, or the other end. */
  readonly endedBy?: 'client' | 'target' | undefined;
}

/** Logs one forwarded connection; every line carries its id. */
export class ForwardedLog {
  readonly #socket: net.Socket;
  readonly #name: string;
  readonly #from: string;
  readonly #since = performance.now();
  #log: Log;

  constructor(log: Log, id: string, number: string, socket: net.Socket) {
    const { remoteAddress: host, remotePort: port } = socket;
    this.#from =
      host === undefined || port === undefined ? 'a unix socket' : showHostPort({ host, port });
    this.#name = `connection ${number}`;
    this.#socket = socket;
    this.#log = log.with({ id, from: this.#from });
  }

  opened(): void {
    this.#log.debug(`${this.#name} from ${this.#from} opened`, { event: 'opened' });
  }

  /** Is told what the local program wants. */
  wants(wish: Wish): void {
    const target = showWish(wish);
    if (target !== '') this.#log = this.#log.with({ target });
    if ('address' in wish) this.#log.debug(`${this.#name} wants ${target}`, { event: 'chosen' });
  }

  ended({ endedBy }: Ended): void {
    if (!this.#log.writes('debug')) return;
    const { bytesRead, bytesWritten } = this.#socket;
    const bytes = `${String(bytesRead)} bytes out, ${String(bytesWritten)} bytes in`;
    this.#log.debug(`${this.#name} ended: ${bytes}`, {
      ...this.#figures('ended'),
      ...(endedBy && { endedBy }),
    });
  }

  /** Logs that it was ended since the program ends. */
  cut(): void {
    this.#log.debug(`${this.#name} from ${this.#from} was cut: this program ends`, {
      ...this.#figures('cut'),
    });
  }

  /** @param why - the error, in words for the user */
  failed(error: unknown, why: string): void {
    this.#log.info(`${this.#name} from ${this.#from} failed: ${why}`, {
      ...this.#figures('failed'),
      reason: why,
    });
    this.#log.stack(error);
  }

  #figures(event: string): Readonly<Record<string, string | number>> {
    const { bytesRead: bytesOut, bytesWritten: bytesIn } = this.#socket;
    const seconds = Math.round(performance.now() - this.#since) / 1000;
    return { event, seconds, bytesIn, bytesOut };
  }
}
