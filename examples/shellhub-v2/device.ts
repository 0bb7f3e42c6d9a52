import { once } from 'node:events';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

import { connect, join } from 'ws-conn-adapter';
import { handle } from 'ws-conn-adapter/multistream';
import { YamuxSession, type YamuxStream } from 'ws-conn-adapter/yamux';

import {
  CONNECTION_PATH,
  type Fields,
  formatLine,
  HTTP_PROXY,
  readLine,
  SSH_CLOSE,
  SSH_OPEN,
} from './wire.ts';

export interface DeviceOptions {
  /** Of the server, without a path. */
  readonly url: string;
  readonly headers?: Record<string, string>;
  /** Serves SSH on a connection. */
  readonly serveSsh: (socket: YamuxStream) => void;
  /** Ports of the device's own that the server may connect to. */
  readonly ports: readonly number[];
  /** Time in ms before the first attempt to connect anew; further ones wait longer. */
  readonly retryDelay: number;
}

const MAX_RETRY_DELAY = 10_000;

/** A device that the server reaches over the WebSocket which it keeps open. */
export class Device {
  readonly #options: DeviceOptions;
  readonly #sshConnections = new Map<string, YamuxStream>();

  constructor(options: DeviceOptions) {
    this.#options = options;
  }

  /** Connects, serves, and connects anew, until the signal fires. */
  async run(signal: AbortSignal): Promise<void> {
    const { url, headers = {}, retryDelay } = this.#options;
    let delay = retryDelay;
    while (!signal.aborted) {
      const webSocket = connect(url + CONNECTION_PATH, { headers });
      webSocket.once('connect', () => (delay = retryDelay));
      const session = new YamuxSession(webSocket, { role: 'server' });
      const close = (): void => void session.close();
      signal.addEventListener('abort', close);
      try {
        for await (const stream of session) void this.#serve(stream);
      } catch {
        // The WebSocket was lost, or did not open. Another one is the answer to both.
      }
      signal.removeEventListener('abort', close);
      await sleep(delay * (0.5 + Math.random()), undefined, { signal }).catch(() => undefined);
      delay = Math.min(delay * 2, MAX_RETRY_DELAY);
    }
  }

  async #serve(stream: YamuxStream): Promise<void> {
    // It is lost with the WebSocket, whoever uses it.
    stream.on('error', () => undefined);
    try {
      const { protocol } = await handle(stream, [SSH_OPEN, SSH_CLOSE, HTTP_PROXY]);
      const fields = await readLine(stream);
      if (protocol === SSH_OPEN) this.#openSsh(stream, fields);
      else if (protocol === SSH_CLOSE) this.#closeSsh(stream, fields);
      else await this.#proxy(stream, fields);
    } catch {
      stream.destroy(); // The server sees that on the stream.
    }
  }

  #openSsh(stream: YamuxStream, { id = '' }: Fields): void {
    this.#sshConnections.set(id, stream);
    stream.once('close', () => {
      if (this.#sshConnections.get(id) === stream) this.#sshConnections.delete(id);
    });
    this.#options.serveSsh(stream);
  }

  #closeSsh(stream: YamuxStream, { id = '' }: Fields): void {
    void this.#sshConnections.get(id)?.close();
    void stream.close();
  }

  async #proxy(stream: YamuxStream, { host = '', port = '' }: Fields): Promise<void> {
    const loopback = host === 'localhost' || host === '127.0.0.1';
    if (!loopback || !this.#options.ports.includes(Number(port))) {
      refuse(stream, 'the device does not share that address');
      return;
    }
    const target = net.connect(Number(port), host);
    try {
      await once(target, 'connect');
    } catch {
      refuse(stream, 'failed to dial to the address and port');
      return;
    }
    stream.write(formatLine({ status: 'ok' }));
    await join(stream, target);
  }
}

function refuse(stream: YamuxStream, error: string): void {
  stream.write(formatLine({ error }));
  void stream.close();
}
