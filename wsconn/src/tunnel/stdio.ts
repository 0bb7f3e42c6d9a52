import { closeSync, createReadStream, createWriteStream, fstatSync, openSync } from 'node:fs';
import net from 'node:net';
import { devNull } from 'node:os';
import { Duplex, type Readable, type Writable } from 'node:stream';
import tty from 'node:tty';

// Where nobody waits for the end of one of these, it stays open: if it were closed, the next socket
// would get its number.
const STDIN = 0;
const STDOUT = 1;

/** Opens stdin again; unlike `process.stdin`, the stream that it returns can be closed. */
function openInput(): Readable {
  if (tty.isatty(STDIN)) return new tty.ReadStream(STDIN);
  const stat = fstatSync(STDIN);
  return stat.isFIFO() || stat.isSocket()
    ? new net.Socket({ fd: STDIN, readable: true, writable: false })
    : createReadStream('', { fd: STDIN, autoClose: false });
}

/**
 * Opens stdout again, as a stream that shows its end to the reader. A socket does so with `end()`,
 * also where stdin is the same socket and reads on. Nobody waits for the end of a file or terminal.
 */
function openOutput(): Writable {
  if (tty.isatty(STDOUT)) return new tty.WriteStream(STDOUT);
  const stat = fstatSync(STDOUT);
  if (stat.isFIFO()) return new PipeOutput();
  return stat.isSocket()
    ? new net.Socket({ fd: STDOUT, readable: false, writable: true })
    : createWriteStream('', { fd: STDOUT, autoClose: false });
}

/** Writes to stdout where that is a pipe (FIFO), which ends when all its writers have closed it. */
class PipeOutput extends net.Socket {
  constructor() {
    super({ fd: STDOUT, readable: false, writable: true });
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    super._destroy(error, callback);
    // libuv does not close the descriptors 0 to 2. Its number is taken again at once, or the next
    // socket would get it and be taken for stdout.
    closeSync(STDOUT);
    openSync(devNull, 'r+');
  }
}

/**
 * Makes one stream of stdin and stdout, whose two directions end independently. The end of stdin is
 * the end of what can be read. `end()` closes stdout, so that a program behind a pipe sees it while
 * stdin is still open.
 */
export class Stdio extends Duplex {
  readonly #input: Readable;
  readonly #output: Writable;

  constructor(input: Readable = openInput(), output: Writable = openOutput()) {
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

  /** Reads no more from stdin: what was read so far is all of it. */
  stopReading(): void {
    if (this.#input.destroyed || this.destroyed) return;
    // What arrived after the input was paused is still in it. read() passes it to the listener of
    // 'data', too.
    while (this.#input.read() !== null);
    this.#input.destroy();
    this.push(null);
  }

  /** Passes on what was read and waits, however much the taker has. */
  flush(): void {
    // read() passes it to the listener of 'data' too.
    while (this.read() !== null);
  }

  override _read(): void {
    this.#input.resume();
  }

  override _write(
    chunk: Buffer,
    _encoding: BufferEncoding,
    callback: (error?: Error | null) => void,
  ): void {
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
