import { createReadStream, createWriteStream, fstatSync } from 'node:fs';
import net from 'node:net';
import { Duplex, type Readable, type Writable } from 'node:stream';
import tty from 'node:tty';

/** Opens a descriptor of our own for reading and writing; unlike `process.stdout`, what it gives can be closed. */
function openInput(fd: number): Readable {
  if (tty.isatty(fd)) return new tty.ReadStream(fd);
  return isStream(fd)
    ? new net.Socket({ fd, readable: true, writable: false })
    : createReadStream('', { fd });
}

function openOutput(fd: number): Writable {
  if (tty.isatty(fd)) return new tty.WriteStream(fd);
  return isStream(fd)
    ? new net.Socket({ fd, readable: false, writable: true })
    : createWriteStream('', { fd });
}

function isStream(fd: number): boolean {
  const stat = fstatSync(fd);
  return stat.isFIFO() || stat.isSocket();
}

/**
 * Makes one stream of stdin and stdout, with two halves that end each by itself: an end of stdin is the end of what can
 * be read, and `end()` closes stdout, so that a program behind a pipe sees it while stdin is still open.
 */
export class Stdio extends Duplex {
  readonly #input: Readable;
  readonly #output: Writable;

  constructor(input: Readable = openInput(0), output: Writable = openOutput(1)) {
    super({ allowHalfOpen: true });
    this.#input = input;
    this.#output = output;
    input.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) input.pause();
    });
    input.pause();
    input.on('end', () => this.push(null));
    input.on('error', (error) => this.destroy(error));
    output.on('error', (error) => this.destroy(error));
  }

  /** Takes no more of stdin: what was read so far is the end of it. */
  stopReading(): void {
    if (this.readableEnded || this.destroyed) return;
    this.#input.destroy();
    this.push(null);
  }

  override _read(): void {
    this.#input.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    this.#output.write(chunk, callback);
  }

  override _final(callback: (error?: Error | null) => void): void {
    this.#output.end(callback);
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#input.destroy();
    this.#output.destroy();
    callback(error);
  }
}
