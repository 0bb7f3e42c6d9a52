import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { Duplex } from 'node:stream';

import { select } from 'ws-conn-adapter/multistream';
import { YamuxSession, type YamuxStream } from 'ws-conn-adapter/yamux';

import {
  ANSWER_TIMEOUT,
  type Fields,
  firstByte,
  formatLine,
  HTTP_PROXY,
  readLine,
  SSH_CLOSE,
  SSH_OPEN,
} from './wire.ts';

/** The server's end of one device's WebSocket. */
export class DeviceConnection {
  readonly #session: YamuxSession;

  constructor(webSocket: Duplex) {
    // The server is the yamux client, since it is the one that opens streams.
    this.#session = new YamuxSession(webSocket, { role: 'client' });
    this.#session.on('stream', (stream) => stream.destroy());
    // Every stream fails with it.
    this.#session.on('error', () => undefined);
  }

  /** Streams that are open. */
  get numStreams(): number {
    return this.#session.numStreams;
  }

  /**
   * Opens a connection to the device's SSH server.
   *
   * The agents of ShellHub read the JSON line with a decoder that reads ahead, and many versions
   * drop what it has read. So nothing may follow the line until the device has spoken, which an SSH
   * server does at once. An SSH client would not wait for that.
   */
  openSsh(id: string): Promise<YamuxStream> {
    return this.#open(SSH_OPEN, { id }, firstByte);
  }

  /** Ends that connection from the device's side. Resolves when the device has done it. */
  async closeSsh(id: string): Promise<void> {
    // Its answer is the end of the stream.
    const ended = async (stream: YamuxStream): Promise<void> => {
      await once(stream.resume(), 'end', { signal: AbortSignal.timeout(ANSWER_TIMEOUT) });
    };
    (await this.#open(SSH_CLOSE, { id }, ended)).destroy();
  }

  /**
   * Opens a TCP connection of the device, to an address that it can reach. Its answer is a line too,
   * so here, too, nothing is sent before it. Do not end the stream before you have read everything:
   * the agent closes both directions when one has ended.
   */
  openHttp(host: string, port: number): Promise<YamuxStream> {
    const fields = { id: randomUUID(), host, port: String(port) };
    return this.#open(HTTP_PROXY, fields, async (stream) => {
      const { status, error } = await readLine(stream);
      if (status !== 'ok') throw new Error(`the device refused: ${JSON.stringify(error)}`);
    });
  }

  close(): Promise<Error | null> {
    return this.#session.close();
  }

  async #open(
    protocol: string,
    fields: Fields,
    ready: (stream: YamuxStream) => Promise<void>,
  ): Promise<YamuxStream> {
    const stream = this.#session.open();
    try {
      await select(stream, protocol, { firstBytes: formatLine(fields) });
      await ready(stream);
      return stream;
    } catch (error) {
      stream.destroy();
      throw error;
    }
  }
}
