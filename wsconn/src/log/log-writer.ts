import { constants, fstatSync, openSync, writeSync } from 'node:fs';
import net from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

import { codeOf } from '../console/explain.ts';

const STDERR = 2;

/** The most bytes that wait for a reader who does not read; what is more is lost, and counted. */
const MOST_WAITING = 1024 * 1024;
/** Time in ms between two tries to write to a reader who does not read. */
const RETRY = 50;
/** Time in ms that the end of the process waits for such a reader. */
const LAST_WAIT = 1_000;

/** What waits to be written, and how many lines of the log it stands for. */
interface Waiting {
  bytes: Buffer;
  readonly lines: number;
}

/**
 * Writes lines to stderr, and never holds up or ends the process: not when nobody reads them any
 * more, not when the reader stops, not when the disk is full. Lines that are lost are counted, and
 * the next line that can be written tells their number.
 */
export class LogWriter {
  /** Makes a line of its own of a text. */
  note: (text: string) => string = (text) => `wsconn: ${text}`;
  readonly #write: (bytes: Buffer) => number;
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #lost = 0;
  #retrying = false;
  #gone = false;

  /** @param write - writes what it can, and returns how much; throws as `fs.writeSync()` does */
  constructor(write: (bytes: Buffer) => number = openStderr()) {
    this.#write = write;
  }

  /** Writes a line, at once where that is possible. */
  line(text: string): void {
    if (this.#gone) return;
    if (this.#waitingBytes >= MOST_WAITING) {
      this.#lost++;
      return;
    }
    this.#tellLost();
    this.#add(text, 1);
    this.#flush();
  }

  /** Resolves when all lines are written, or their reader keeps still for a second. */
  async flushed(): Promise<void> {
    let left = this.#waitingBytes;
    let since = performance.now();
    while (this.#waitingBytes > 0 && performance.now() - since < LAST_WAIT) {
      await pause(RETRY);
      this.#flush();
      if (this.#waitingBytes < left) {
        left = this.#waitingBytes;
        since = performance.now();
      }
    }
  }

  async #retry(): Promise<void> {
    this.#retrying = true;
    await pause(RETRY, undefined, { ref: false });
    this.#retrying = false;
    this.#flush();
  }

  #add(text: string, lines: number): void {
    const bytes = Buffer.from(`${text}\n`);
    this.#waiting.push({ bytes, lines });
    this.#waitingBytes += bytes.length;
  }

  #flush(): void {
    for (;;) {
      this.#tellLost();
      const first = this.#waiting[0];
      if (!first) return;
      let written: number;
      try {
        written = this.#write(first.bytes);
      } catch (error) {
        this.#onError(codeOf(error));
        return;
      }
      this.#waitingBytes -= written;
      if (written < first.bytes.length) first.bytes = first.bytes.subarray(written);
      else this.#waiting.shift();
    }
  }

  /** Tells how many lines were lost, once what came before them is written. */
  #tellLost(): void {
    if (this.#lost === 0 || this.#waiting.length > 0) return;
    const lost = this.#lost;
    const lines = lost === 1 ? 'line' : 'lines';
    this.#lost = 0;
    this.#add(this.note(`${String(lost)} ${lines} of this log could not be written`), lost);
  }

  #onError(code: string | undefined): void {
    if (code === 'EAGAIN') {
      // Its reader does not read just now.
      if (!this.#retrying) void this.#retry();
      return;
    }
    // Nobody reads them any more (EPIPE), or there is no room on the disk just now (ENOSPC).
    this.#gone = code === 'EPIPE' || code === 'EBADF';
    this.#lost += this.#waiting.reduce((sum, { lines }) => sum + lines, 0);
    this.#waiting = [];
    this.#waitingBytes = 0;
  }
}

/**
 * Returns what writes to stderr without waiting for its reader. A pipe or terminal is opened again,
 * since O_NONBLOCK is a flag of the open file, which other programs share.
 */
function openStderr(): (bytes: Buffer) => number {
  let fd = STDERR;
  try {
    const stat = fstatSync(STDERR);
    if (stat.isFIFO() || stat.isCharacterDevice()) {
      fd = openSync(
        '/proc/self/fd/2',
        constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY,
      );
    } else if (stat.isSocket()) {
      // It cannot be opened again. Node sets the flag for sockets that it owns.
      new net.Socket({ fd: STDERR, readable: false, writable: true }).unref();
    }
  } catch {
    // No /proc, no permission, no reader: it is written to as it is, and may hold up the process.
  }
  return (bytes) => writeSync(fd, bytes);
}
