import { once } from 'node:events';
import { MessageChannel, type MessagePort } from 'node:worker_threads';

import { describe, expect, onTestFinished, test } from 'vitest';

import { SocketDuplex, type SocketDuplexOptions } from '../../src/index.ts';

/** The example of the doc comment of SocketDuplex, to the letter. */
class PortSocket extends SocketDuplex {
  readonly connecting = false;
  bytesRead = 0;
  readonly #port: MessagePort;
  #bytesSent = 0;
  #closed: Promise<Error | null> | null = null;

  constructor(port: MessagePort, options?: SocketDuplexOptions) {
    super(options);
    this.#port = port;
    port.on('message', (chunk: Uint8Array | null) => {
      this.bytesRead += chunk?.length ?? 0;
      this.markActive();
      this.push(chunk);
    });
    port.on('close', () => this.push(null));
  }

  get bytesWritten(): number {
    return this.#bytesSent + this.writableLength;
  }

  override _read(): void {
    // A port cannot be held back.
  }

  override _write(chunk: Buffer, _encoding: string, callback: () => void): void {
    this.#port.postMessage(chunk);
    this.#bytesSent += chunk.length;
    this.markActive();
    callback();
  }

  override _final(callback: () => void): void {
    this.#port.postMessage(null);
    callback();
  }

  protected override hangUp(_error: Error | null, done: () => void): void {
    this.#port.close();
    done();
  }

  resetAndDestroy(): this {
    return this.destroy();
  }

  close(): Promise<Error | null> {
    this.#closed ??= this.afterClose();
    this.destroySoon();
    return this.#closed;
  }
}

/** Both ends of a channel, each a socket. */
function pair(): [PortSocket, PortSocket] {
  const { port1, port2 } = new MessageChannel();
  const sockets: [PortSocket, PortSocket] = [new PortSocket(port1), new PortSocket(port2)];
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
  });
  return sockets;
}

describe('a subclass of SocketDuplex', () => {
  test('carries bytes, counts them, and ends both ways', async () => {
    const [a, b] = pair();
    b.pipe(b);
    a.write('hello ');
    a.end('world');
    const chunks = await a.toArray();
    expect(Buffer.concat(chunks as Buffer[]).toString()).toBe('hello world');
    expect([a.bytesRead, a.bytesWritten, b.bytesRead, b.bytesWritten]).toEqual([11, 11, 11, 11]);
    expect(await Promise.all([a.close(), b.close()])).toEqual([null, null]);
  });

  test('close() gives one promise, which resolves after "close" with the error', async () => {
    const [a] = pair();
    const first = new Error('first');
    const closed = a.close();
    a.destroy(first);
    expect(a.close()).toBe(closed);
    const seen: unknown[] = [];
    a.on('close', (hadError: boolean) => seen.push(hadError));
    expect(await closed).toBe(first);
    expect(seen).toEqual([true]);
  });

  test('emits "timeout" when no payload has moved', async () => {
    const [a] = pair();
    a.setTimeout(20);
    await once(a, 'timeout');
    expect(a.destroyed).toBe(false);
  });

  test('takes options that are checked', () => {
    const { port1 } = new MessageChannel();
    expect(() => new PortSocket(port1, { readableHighWaterMark: -1 })).toThrow(
      expect.objectContaining({ code: 'ERR_OUT_OF_RANGE' }) as Error,
    );
    port1.close();
  });
});

test('the error that a write has met stays the first one, whatever destroys the stream in that tick', async () => {
  class Failing extends SocketDuplex {
    readonly connecting = false;
    readonly bytesRead = 0;
    readonly bytesWritten = 0;

    override _read(): void {
      // Nothing comes.
    }

    override _write(_chunk: Buffer, _encoding: string, callback: (error: Error) => void): void {
      callback(new Error('the first'));
    }

    protected override hangUp(_error: Error | null, done: () => void): void {
      done();
    }

    resetAndDestroy(): this {
      return this.destroy();
    }

    close(): Promise<Error | null> {
      const closed = this.afterClose();
      this.destroy();
      return closed;
    }
  }
  const socket = new Failing();
  const errors: Error[] = [];
  socket.on('error', (error) => errors.push(error));
  socket.write('x');
  socket.destroy(new Error('the second'));
  const outcome = await socket.close();
  expect(errors).toMatchObject([{ message: 'the first' }]);
  expect(outcome).toBe(errors[0]);
  expect(socket.errored).toBe(errors[0]);
});
